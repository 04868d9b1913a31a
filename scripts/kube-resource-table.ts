import type { Specification } from './kube-type-table.ts';

interface Operation {
  readonly 'x-kubernetes-action'?: string;
  readonly 'x-kubernetes-group-version-kind'?: {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  };
}

interface Row {
  readonly isNamespaced: boolean;
  readonly kinds: string[];
  readonly verbs: Set<string>;
}

const verbOfAction: Readonly<Record<string, string>> = {
  get: 'get',
  list: 'list',
  post: 'create',
  put: 'update',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'deletecollection',
  watch: 'watch',
  watchlist: 'watch',
};
const verbOfMethod: Readonly<Record<string, string>> = {
  get: 'get',
  post: 'create',
  put: 'update',
  patch: 'patch',
  delete: 'delete',
};

/** One line per resource and subresource of stable group versions; `src/kube/schemas/builtin-resources.ts` reads them. */
export function resourceTable(spec: Specification): readonly string[] {
  const rows = new Map<string, Row>();
  for (const [path, methods] of Object.entries(spec.paths)) {
    const match =
      /^\/apis?\/(?:([^/]+)\/)?(v\d+)\/(?:watch\/)?(namespaces\/\{namespace\}\/)?([a-z]+)(?:\/\{name\})?(?:\/([a-z]+))?(?:\/\{path\})?$/.exec(
        path,
      );
    if (match === null) continue;
    const [, group = '', version = '', namespace, plural = '', subresource = ''] = match;
    const name = [group, version, plural, subresource].join('|');
    const row = rows.get(name) ?? { isNamespaced: false, kinds: [], verbs: new Set() };
    rows.set(name, { ...row, isNamespaced: row.isNamespaced || namespace !== undefined });
    for (const [method, operation] of Object.entries(methods as Readonly<Record<string, Operation>>)) {
      const action = operation['x-kubernetes-action'] ?? '';
      const verb = action === 'connect' ? verbOfMethod[method] : verbOfAction[action];
      const kind = operation['x-kubernetes-group-version-kind'];
      if (verb === undefined || kind === undefined) continue;
      row.verbs.add(verb);
      row.kinds.push(`${kind.group}/${kind.version}/${kind.kind}`);
    }
  }
  return [...rows]
    .map(([name, { isNamespaced, kinds, verbs }]) => {
      const [group, version] = name.split('|');
      const kind = kinds[0] ?? '';
      const own = kind.startsWith(`${group ?? ''}/${version ?? ''}/`) ? (kind.split('/')[2] ?? '') : kind;
      return [name, own, isNamespaced ? 'N' : 'C', [...verbs].toSorted().join(',')].join('|');
    })
    .toSorted();
}
