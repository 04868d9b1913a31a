import { StatusError } from '#base/errors.ts';
import type { BuildRequest, Scanner } from '#engine/build/builder.ts';
import { parseExtraHost } from '#engine/network/sandbox-files.ts';

import { platformOf } from '../../images/platform.ts';
import { type ProvenanceOptions, provenanceOptions } from './provenance.ts';
import { sbomOptions } from './sbom.ts';

type Attributes = ReadonlyMap<string, string>;

/** What the options of BuildKit's Dockerfile front end say; the rest of a build comes from the session. */
export interface FrontendOptions {
  readonly request: Pick<
    BuildRequest,
    'buildArgs' | 'target' | 'labels' | 'noCache' | 'noCacheStages' | 'pull' | 'networkMode' | 'extraHosts'
  > &
    Partial<Pick<BuildRequest, 'shmSizeBytes' | 'ulimits' | 'platform' | 'platforms'>>;
  readonly dockerfileName: string;
  /** The client's name of the folder that the Dockerfile is in. */
  readonly dockerfileFolder: string;
  /** Whether the Dockerfile comes from the client even when the context does not. */
  readonly hasOwnDockerfile: boolean;
  /** The client's name of the folder that is the context. */
  readonly contextFolder: string;
  /** Where the context is when it is no folder of the client; '' else. */
  readonly contextUrl: string;
  /** `--build-context`: a folder of the client, or an image. */
  readonly contexts: ReadonlyMap<string, ContextSource>;
  /** Folders of the client that another session than the build's serves: several builds of one call share it. */
  readonly folderSessions: ReadonlyMap<string, string>;
  /** What is to be told of how the image was made; undefined for nothing. */
  readonly provenance: ProvenanceOptions | undefined;
  /** What lists the packages of the image; undefined for nothing. */
  readonly sbom: Scanner | undefined;
}

export type ContextSource =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'image'; readonly name: string };

/** Options with a meaning here, and those that mean nothing to a builder. Every other one is refused by its name. */
const known: ReadonlySet<string> = new Set([
  'filename',
  'dockerfilekey',
  'contextkey',
  'context',
  'target',
  'no-cache',
  'image-resolve-mode',
  'platform',
  'force-network-mode',
  'add-hosts',
  'shm-size',
  'ulimit',
  'attest:provenance',
  'attest:sbom',
  // Said by clients beside what they are about; `cache-from` repeats what Solve itself says.
  'frontend.caps',
  'cache-imports',
  'cache-from',
  // The front end by `# syntax=`: ours understands what it does.
  'source',
  'cmdline',
]);
/** `vcs:` says where the context comes from, without changing the result. */
const knownPrefixes = ['build-arg:', 'label:', 'context:', 'vcs:', 'local-sessionid:'] as const;

const refusals: readonly (readonly [string, string])[] = [
  ['attest:', 'only provenance and sbom are supported; leave --attest away'],
];

/** Reads the options of a solve with the front end `dockerfile.v0`. Throws NotSupported, InvalidArgument. */
export function frontendOptions(attributes: Attributes): FrontendOptions {
  for (const [name, value] of attributes) checkKnown(name, value);
  const text = (name: string): string => attributes.get(name) ?? '';
  const noCache = attributes.get('no-cache');
  const platforms = text('platform')
    .split(',')
    .flatMap((name) => platformOf(name) ?? []);
  const shmSizeBytes = shmSize(text('shm-size'));
  const limits = ulimits(text('ulimit'));
  const sessions = Object.entries(withPrefix(attributes, 'local-sessionid:'));
  return {
    request: {
      buildArgs: withPrefix(attributes, 'build-arg:'),
      labels: withPrefix(attributes, 'label:'),
      target: text('target'),
      noCache: noCache === '',
      noCacheStages: noCache === undefined || noCache === '' ? [] : noCache.split(','),
      pull: text('image-resolve-mode') === 'pull',
      networkMode: networkMode(text('force-network-mode')),
      extraHosts: extraHosts(text('add-hosts')),
      ...(shmSizeBytes > 0 && { shmSizeBytes }),
      ...(limits.length > 0 && { ulimits: limits }),
      ...(platforms.length === 1 && { platform: platforms[0] }),
      ...(platforms.length > 1 && { platforms }),
    },
    dockerfileName: text('filename') || 'Dockerfile',
    dockerfileFolder: text('dockerfilekey') || 'dockerfile',
    hasOwnDockerfile: attributes.has('dockerfilekey'),
    contextFolder: text('contextkey') || 'context',
    contextUrl: text(text('contextkey') || 'context'),
    provenance: provenanceOptions(text('attest:provenance')),
    sbom: sbomOptions(attributes.get('attest:sbom')),
    // A prefix only keeps sessions apart (buildkit: session/manager.go).
    folderSessions: new Map(sessions.map(([folder, id]) => [folder, id.replace(/^[^:]*:/, '')])),
    contexts: new Map(
      // A name may end with the platform that it is for.
      Object.entries(withPrefix(attributes, 'context:')).map(([name, value]) => [
        name.replace(/::.*$/, ''),
        contextOf(name, value),
      ]),
    ),
  };
}

function checkKnown(name: string, value: string): void {
  if (known.has(name) || knownPrefixes.some((prefix) => name.startsWith(prefix))) return;
  const way = refusals.find(([start]) => (start.endsWith(':') ? name.startsWith(start) : name === start))?.[1];
  const shown = value.length > 100 ? `${value.slice(0, 100)}...` : value;
  throw new StatusError(
    'NotSupported',
    `Cannot build with ${name} "${shown}": ${way ?? 'this option is not supported'}`,
  );
}

function withPrefix(attributes: Attributes, prefix: string): Readonly<Record<string, string>> {
  const found = [...attributes].filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value]));
}

function contextOf(name: string, value: string): ContextSource {
  const [, kind = '', rest = ''] = /^(local|docker-image):(?:\/\/)?(.+)$/.exec(value) ?? [];
  if (kind === 'local') return { kind: 'folder', folder: rest };
  if (kind === 'docker-image') return { kind: 'image', name: rest };
  throw new StatusError(
    'NotSupported',
    `Cannot use "${value}" as the build context "${name}": only folders and docker-image:// are supported`,
  );
}

function networkMode(mode: string): string {
  if (mode === '' || mode === 'sandbox') return 'default';
  if (mode === 'host' || mode === 'none') return mode;
  throw new StatusError('InvalidArgument', `invalid network mode "${mode}": want sandbox, host or none`);
}

/** `name=address,...`, addresses of IPv6 in brackets or not. */
function extraHosts(text: string): readonly string[] {
  const hosts = text.split(',').filter((host) => host !== '');
  for (const host of hosts) parseExtraHost(host);
  return hosts;
}

function shmSize(text: string): number {
  if (text === '') return 0;
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new StatusError('InvalidArgument', `failed to parse shm size: "${text}" is no number of bytes`);
}

/** `name=soft:hard,...` */
function ulimits(text: string): NonNullable<BuildRequest['ulimits']> {
  return text
    .split(',')
    .filter((limit) => limit !== '')
    .map((limit) => {
      const [, name = '', soft = '', hard = soft] = /^([a-z]+)=(-?[0-9]{1,15})(?::(-?[0-9]{1,15}))?$/.exec(limit) ?? [];
      if (name === '') throw new StatusError('InvalidArgument', `failed to parse ulimit: "${limit}"`);
      return { name, soft: Number(soft), hard: Number(hard) };
    });
}
