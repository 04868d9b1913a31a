import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { builtinGroupVersions, builtinResources } from '#kube/schemas/builtin-resources.ts';
import { builtinSchema } from '#kube/schemas/builtin-schemas.ts';
import { OpenApiDocuments } from '#kube/schemas/openapi-documents.ts';

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** As much of an API as kubectl needs before it sends what it was told to; what it sends is kept and answered by 201. */
export interface RecordingServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: RecordedRequest[];
  /** Objects that GET finds, by path. */
  readonly objects: Map<string, unknown>;
}

export async function startRecordingServer(): Promise<RecordingServer> {
  const requests: RecordedRequest[] = [];
  const objects = new Map<string, unknown>();
  const documents = new OpenApiDocuments(
    builtinResources().flatMap((resource) => {
      const schema = builtinSchema(resource.group, resource.version, resource.kind);
      return schema === undefined ? [] : [{ ...resource, schema }];
    }),
    'v1.34.5',
  );
  const answer = (request: IncomingMessage, body: Buffer, response: ServerResponse): void => {
    const { pathname: path } = new URL(request.url ?? '/', 'http://localhost');
    const reply = (status: number, value: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (request.method !== 'GET') {
      const contentType = request.headers['content-type'] ?? '';
      requests.push({ method: request.method ?? '', path, contentType, body });
      return reply(request.method === 'POST' ? 201 : 200, objects.get(path) ?? echo(contentType, body));
    }
    if (path === '/openapi/v3') return reply(200, documents.index());
    const file = documents.file(path.replace('/openapi/v3/', ''));
    if (file !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json', etag: `"${file.hash}"` });
      return void response.end(file.unpacked());
    }
    const found = discovery(path) ?? objects.get(path);
    if (found !== undefined) return reply(200, found);
    reply(404, {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'NotFound',
      code: 404,
      message: 'not found',
    });
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, Buffer.concat(chunks), response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    requests,
    objects,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What was sent, where it can be read; else a Status. */
function echo(contentType: string, body: Buffer): unknown {
  if (contentType.startsWith('application/json')) return JSON.parse(body.toString());
  return { kind: 'Status', apiVersion: 'v1', status: 'Success' };
}

function discovery(path: string): unknown {
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    const groups = Map.groupBy(
      builtinGroupVersions.filter(({ group }) => group !== ''),
      ({ group }) => group,
    );
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: [...groups].map(([name, versions]) => {
        const list = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }));
        return { name, versions: list, preferredVersion: list[0] };
      }),
    };
  }
  const match = /^\/apis?\/(?:([^/]+)\/)?(v[0-9a-z]+)$/.exec(path);
  if (match === null) return undefined;
  const [, group = '', version = ''] = match;
  const resources = builtinResources().filter((one) => one.group === group && one.version === version);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: resources.flatMap(({ plural, kind, scope, verbs, subresources }) => [
      { name: plural, singularName: kind.toLowerCase(), namespaced: scope === 'Namespaced', kind, verbs },
      ...subresources.map(({ name, body, verbs: own }) => ({
        name: `${plural}/${name}`,
        singularName: '',
        namespaced: scope === 'Namespaced',
        ...body,
        verbs: own,
      })),
    ]),
  };
}
