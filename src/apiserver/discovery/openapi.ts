import { nowMs } from '#base/clock.ts';
import { OpenApiDocuments, type OpenApiFile, type OpenApiV2Form } from '#kube/schemas/openapi-documents.ts';
import { ApiError } from '#kube/status.ts';

import { rangesOf } from '../http/accept.ts';
import { jsonReply, type Call, type Reply } from '../http/call.ts';
import { kubernetesVersion } from '../http/version.ts';
import type { ResourceTable } from '../resources/resource-table.ts';

const root = '/openapi/v3';
const yearMs = 365 * 86_400_000;
/** What kubectl asks for, and how upstream names what it answers. */
const v2Types: Readonly<Record<string, { readonly form: OpenApiV2Form; readonly contentType: string }>> = {
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf': protobufV2(),
  'application/com.github.proto-openapi.spec.v2.v1.0+protobuf': protobufV2(),
  'application/json': { form: 'json', contentType: 'application/json' },
  'application/*': { form: 'json', contentType: 'application/json' },
  '*/*': { form: 'json', contentType: 'application/json' },
};

/** OpenAPI documents of what is served, in versions 2 and 3. */
export class OpenApi {
  readonly #resources: ResourceTable;
  #documents: OpenApiDocuments | undefined;
  #generation = 0;

  constructor(resources: ResourceTable) {
    this.#resources = resources;
  }

  /** undefined: the path names no document. Throws NotAcceptable. */
  reply(call: Call): Reply | undefined {
    const path = call.path.replace(/\/$/, '');
    if (path === '/openapi/v2') return this.#whole(call);
    if (path === root) return jsonReply(this.#current().index());
    return path.startsWith(`${root}/`) ? this.#document(call, path.slice(root.length + 1)) : undefined;
  }

  #whole(call: Call): Reply {
    const wanted = rangesOf(call.header('accept')).flatMap(({ type }) => v2Types[type] ?? [])[0];
    if (wanted === undefined)
      throw new ApiError(
        'NotAcceptable',
        `only the following media types are accepted: ${Object.keys(v2Types).slice(0, 3).join(', ')}`,
      );
    const { form, contentType } = wanted;
    const documents = this.#current();
    return fileReply(call, contentType, documents.wholeHash(), () => documents.whole(form), {});
  }

  #document(call: Call, path: string): Reply | undefined {
    const file = this.#current().file(path);
    if (file === undefined) return undefined;
    const asked = call.query.get('hash') ?? '';
    if (asked !== '' && asked !== file.hash) {
      const headers = { location: `${root}/${path}?hash=${file.hash}` };
      return { kind: 'body', status: 301, contentType: 'text/plain', body: '', headers };
    }
    const kept = {
      'cache-control': 'public, immutable',
      expires: new Date(nowMs() + yearMs).toUTCString(),
      'last-modified': new Date(0).toUTCString(),
    };
    return fileReply(call, 'application/json', file.hash, () => file, asked === '' ? {} : kept);
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

function protobufV2(): { readonly form: OpenApiV2Form; readonly contentType: string } {
  return { form: 'protobuf', contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' };
}

/** A document as it is kept, unless the client has it or cannot unpack it. */
function fileReply(
  call: Call,
  contentType: string,
  hash: string,
  file: () => OpenApiFile,
  more: Readonly<Record<string, string>>,
): Reply {
  const etag = `"${hash}"`;
  const headers = { etag, vary: 'Accept-Encoding, Accept', ...more };
  const reply = { kind: 'body', contentType } as const;
  if (call.header('if-none-match') === etag) return { ...reply, status: 304, body: '', headers };
  const isPacked = /\bgzip\b/.test(call.header('accept-encoding') ?? '');
  if (!isPacked) return { ...reply, status: 200, body: file().unpacked(), headers };
  return { ...reply, status: 200, body: file().gzip, headers: { ...headers, 'content-encoding': 'gzip' } };
}
