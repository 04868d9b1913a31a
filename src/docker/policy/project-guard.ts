import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { Engine } from '#engine/engine.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Query } from '../http/query.ts';
import { beyond, containerIn, isOwn, networkIn, volumeIn } from './project-bounds.ts';
import { checkContainer } from './project-container.ts';
import { projectLabel, type ProjectRole } from './role.ts';
import type { ProjectRule } from './route-policies.ts';

type Body = Readonly<Record<string, unknown>>;
type Guard = (engine: Engine, role: ProjectRole, call: Call) => Call;

/** What becomes of a call to an endpoint of each kind: it is refused, or changed so that it stays in the project. */
const guards: Readonly<Record<Exclude<ProjectRule, 'deny'>, Guard>> = {
  allow: (_engine, _role, call) => call,
  build: (_engine, role, call) => {
    if (!role.allows.includes('build')) throw beyond(role, 'building images is not allowed', 'build');
    const mode = call.query.text('networkmode');
    if (!['', 'default', 'bridge', 'none'].includes(mode) && !role.allows.includes('host-namespaces'))
      throw beyond(role, `building in the network "${mode}" is not allowed`, 'host-namespaces');
    return call;
  },
  buildKit: (_engine, role, call) => {
    // Its language can ask for more than the project has.
    for (const allowance of ['build', 'privileged'] as const)
      if (!role.allows.includes(allowance)) throw beyond(role, `BuildKit's protocol is not allowed`, allowance);
    return call;
  },
  pull: (_engine, role, call) => {
    // Under any name, also one that others run.
    if (call.query.text('fromSrc') !== '' && !role.allows.includes('build'))
      throw beyond(role, 'importing images is not allowed', 'build');
    return call;
  },
  list: (_engine, { project }, call) => ({ ...call, query: withLabel(call.query, `${projectLabel}=${project}`) }),
  container: (engine, role, call) => {
    containerIn(engine, role, call.params['id'] ?? '');
    return call;
  },
  exec: (engine, role, call) => {
    const id = call.params['id'] ?? '';
    const { containerId } = engine.containers.exec(id);
    if (isOwn(role, engine.containers.get(containerId).spec.labels)) return call;
    throw new StatusError('NotFound', `No such exec instance: ${id}`);
  },
  network: (engine, role, call) => {
    networkIn(engine, role, call.params['id'] ?? '');
    return call;
  },
  volume: (engine, role, call) => {
    volumeIn(engine, role, call.params['name'] ?? '');
    return call;
  },
  connect: (engine, role, call) => {
    networkIn(engine, role, call.params['id'] ?? '');
    return withBody(call, (body) => {
      containerIn(engine, role, text(body['Container']));
      return body;
    });
  },
  createExec: (engine, role, call) => {
    containerIn(engine, role, call.params['id'] ?? '');
    return withBody(call, (body) => {
      if (body['Privileged'] === true && !role.allows.includes('privileged'))
        throw beyond(role, 'Privileged is not allowed', 'privileged');
      return body;
    });
  },
  createContainer: (engine, role, call) =>
    withBody(call, async (body) => {
      await checkContainer(engine, role, body);
      return labelled(role, body);
    }),
  createNetwork: (_engine, role, call) => withBody(call, (body) => labelled(role, body)),
  createVolume: (engine, role, call) =>
    withBody(call, (body) => {
      const options = Object.keys(isObject(body['DriverOpts']) ? body['DriverOpts'] : {});
      if (options.some((key) => key !== 'size') && !role.allows.includes('host-mounts'))
        throw beyond(role, 'a volume that shows something else is not allowed', 'host-mounts');
      const name = text(body['Name']);
      if (name !== '' && engine.volumes.find(name) !== undefined) volumeIn(engine, role, name);
      return labelled(role, body);
    }),
};

/** The call as the endpoint may see it. Throws Forbidden, and NotFound for what belongs to somebody else. */
export function guardCall(
  { engine }: Context,
  rule: Exclude<ProjectRule, 'deny'>,
  role: ProjectRole,
  call: Call,
): Call {
  return guards[rule](engine, role, call);
}

/** A label is not the client's to choose. */
function labelled({ project }: ProjectRole, body: Body): Body {
  const given = isObject(body['Labels']) ? body['Labels'] : {};
  return { ...body, Labels: { ...given, [projectLabel]: project } };
}

function withBody(call: Call, change: (body: Body) => Body | Promise<Body>): Call {
  return {
    ...call,
    body: {
      bytes: call.body.bytes,
      async json(decoder) {
        const changed = await change((await call.body.json(decoder)) as Body);
        return changed as ReturnType<typeof decoder>;
      },
    },
  };
}

function withLabel(query: Query, label: string): Query {
  const given = query.json('filters');
  const filters: Record<string, unknown> = isObject(given) ? { ...given } : {};
  const labels = filters['label'];
  const others = Array.isArray(labels)
    ? labels
    : isObject(labels)
      ? Object.keys(labels).filter((key) => labels[key] !== false)
      : [];
  filters['label'] = [...others, label];
  return query.with('filters', JSON.stringify(filters));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
