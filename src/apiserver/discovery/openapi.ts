import { nowMs } from '#base/clock.ts';
import { OpenApiDocuments } from '#kube/schemas/openapi-v3.ts';
import { ApiError } from '#kube/status.ts';

import { jsonReply, type Call, type Reply } from '../http/call.ts';
import { kubernetesVersion } from '../http/version.ts';
import type { ResourceTable } from '../resources/resource-table.ts';

const root = '/openapi/v3';
const yearMs = 365 * 86_400_000;

/** OpenAPI v3 documents of what is served; version 2 is refused, for which clients have tables of their own. */
export class OpenApi {
  readonly #resources: ResourceTable;
  #documents: OpenApiDocuments | undefined;
  #generation = 0;

  constructor(resources: ResourceTable) {
    this.#resources = resources;
  }

  /** undefined: the path names no document. */
  reply(call: Call): Reply | undefined {
    const path = call.path.replace(/\/$/, '');
    if (path.startsWith('/openapi/v2'))
      throw new ApiError('NotAcceptable', 'OpenAPI version 2 is not served; ask for /openapi/v3');
    if (path === root) return jsonReply(this.#current().index());
    return path.startsWith(`${root}/`) ? this.#document(call, path.slice(root.length + 1)) : undefined;
  }

  #document(call: Call, path: string): Reply | undefined {
    const file = this.#current().file(path);
    if (file === undefined) return undefined;
    const asked = call.query.get('hash') ?? '';
    if (asked !== '' && asked !== file.hash) {
      const headers = { location: `${root}/${path}?hash=${file.hash}` };
      return { kind: 'body', status: 301, contentType: 'text/plain', body: '', headers };
    }
    const etag = `"${file.hash}"`;
    const kept = {
      'cache-control': 'public, immutable',
      expires: new Date(nowMs() + yearMs).toUTCString(),
      'last-modified': new Date(0).toUTCString(),
    };
    const headers = { etag, vary: 'Accept-Encoding, Accept', ...(asked === '' ? {} : kept) };
    const json = { kind: 'body', contentType: 'application/json' } as const;
    if (call.header('if-none-match') === etag) return { ...json, status: 304, body: '', headers };
    const isPacked = /\bgzip\b/.test(call.header('accept-encoding') ?? '');
    if (!isPacked) return { ...json, status: 200, body: file.json(), headers };
    return { ...json, status: 200, body: file.gzip, headers: { ...headers, 'content-encoding': 'gzip' } };
  }

  /** Made anew when something else is served; documents that are still true are taken over. */
  #current(): OpenApiDocuments {
    const before = this.#documents;
    if (before !== undefined && this.#generation === this.#resources.generation) return before;
    const documents = new OpenApiDocuments(
      this.#resources.all().map(({ def }) => def),
      kubernetesVersion,
    );
    if (before !== undefined) documents.adopt(before);
    this.#documents = documents;
    this.#generation = this.#resources.generation;
    return documents;
  }
}
