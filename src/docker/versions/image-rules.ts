import { objectAt, within, without, withoutEmpty } from './change-body.ts';
import type { Body, Rule } from './rule.ts';

/** Fields of a container's configuration that images never had a use for. */
const containersOnly = [
  'Hostname',
  'Domainname',
  'AttachStdin',
  'AttachStdout',
  'AttachStderr',
  'Tty',
  'OpenStdin',
  'StdinOnce',
  'Image',
  'NetworkDisabled',
  'MacAddress',
  'StopTimeout',
];

const withVirtualSize: Rule = { below: 44, change: (body) => ({ ...body, VirtualSize: body['Size'] }) };

export const imageRules = {
  /** GET /images/{name}/json. */
  image: [
    // What the image was committed from. Docker has it below 1.45 only, and with that broke compose 1, which takes the
    // newest version there is and reads the paths of volumes here.
    { change: (body) => ({ ...body, Container: '', ContainerConfig: body['Config'] }) },
    withVirtualSize,
    { since: 44, change: (body) => (body['Created'] === '0001-01-01T00:00:00Z' ? without('Created')(body) : body) },
    { since: 50, change: within('Config', without(...containersOnly)) },
    { since: 52, change: withoutEmpty('Parent', 'Comment', 'DockerVersion', 'Author') },
    {
      since: 52,
      change: within(
        'Config',
        withoutEmpty('Cmd', 'Entrypoint', 'Env', 'Labels', 'OnBuild', 'User', 'Volumes', 'WorkingDir'),
      ),
    },
  ],
  /** An entry of GET /images/json. */
  listedImage: [
    withVirtualSize,
    { below: 43, change: withNamesOfNone },
    { below: 51, change: (body) => ({ ...body, Containers: -1 }) },
  ],
  /** An image in GET /system/df. */
  measuredImage: [withVirtualSize],
} satisfies Record<string, readonly Rule[]>;

function withNamesOfNone(body: Body): Body {
  const isNamed = ['RepoTags', 'RepoDigests'].some((name) => Object.keys(objectOrList(body, name)).length > 0);
  return isNamed ? body : { ...body, RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] };
}

function objectOrList(body: Body, name: string): object {
  const value = body[name];
  return Array.isArray(value) ? value : objectAt(body, name);
}
