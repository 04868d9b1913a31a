import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';

import { types } from '../gen/types.ts';
import type { Json } from './component-schemas.ts';
import { openApiDocument, type OpenApiResource } from './openapi-document.ts';
import { openApiV2Protobuf } from './openapi-v2-protobuf.ts';
import { openApiV2 } from './openapi-v2.ts';

export interface OpenApiFile {
  /** Changes when the document does: for the URL and the ETag. */
  readonly hash: string;
  /** Compressed by gzip, which is how it is kept. */
  readonly gzip: Uint8Array;
  unpacked(): Uint8Array;
}

/** How OpenAPI v2 is sent: kubectl asks for protobuf alone. */
export type OpenApiV2Form = 'json' | 'protobuf';

/**
 * OpenAPI documents of the resources of a list: of version 3 one for each group version, of version 2 one of all. A document
 * is made when it is first asked for and kept compressed; hashes are made of what it is made from.
 */
export class OpenApiDocuments {
  readonly #resources: ReadonlyMap<string, readonly OpenApiResource[]>;
  readonly #version: string;
  readonly #hashes = new Map<string, string>();
  readonly #files = new Map<string, OpenApiFile>();

  /** `version`: of the server, such as `v1.34.5`. */
  constructor(resources: Iterable<OpenApiResource>, version: string) {
    this.#resources = Map.groupBy(resources, groupVersionPath);
    this.#version = version;
  }

  /** What `GET /openapi/v3` answers. */
  index(): Json {
    const paths = [...this.#resources.keys()].toSorted();
    return {
      paths: Object.fromEntries(
        paths.map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#hash(path)}` }]),
      ),
    };
  }

  /** A document by its path, such as `apis/apps/v1`; undefined: there is none. */
  file(path: string): OpenApiFile | undefined {
    const before = this.#files.get(path);
    const resources = this.#resources.get(path);
    if (before !== undefined || resources === undefined) return before;
    const gzip = gzipSync(JSON.stringify(openApiDocument(resources, this.#version)));
    const file: OpenApiFile = { hash: this.#hash(path), gzip, unpacked: () => gunzipSync(gzip) };
    this.#files.set(path, file);
    return file;
  }

  /** The document of version 2. */
  whole(form: OpenApiV2Form): OpenApiFile {
    const path = `v2/${form}`;
    const before = this.#files.get(path);
    if (before !== undefined) return before;
    const document = openApiV2([...this.#resources.values()].map((some) => openApiDocument(some, this.#version)));
    const gzip = gzipSync(form === 'json' ? JSON.stringify(document) : openApiV2Protobuf(document));
    const file: OpenApiFile = { hash: this.wholeHash(), gzip, unpacked: () => gunzipSync(gzip) };
    this.#files.set(path, file);
    return file;
  }

  /** Of version 2, without making the document. */
  wholeHash(): string {
    const sum = createHash('sha256');
    for (const path of [...this.#resources.keys()].toSorted()) sum.update(this.#hash(path));
    return sum.digest('hex').toUpperCase();
  }

  /** Takes over documents of an earlier list that are still true. */
  adopt(earlier: OpenApiDocuments): void {
    for (const [path, file] of earlier.#files)
      if (this.#resources.has(path) && this.#hash(path) === file.hash) this.#files.set(path, file);
  }

  #hash(path: string): string {
    const before = this.#hashes.get(path);
    if (before !== undefined) return before;
    const sum = createHash('sha256').update(`${this.#version}\n${path}\n`);
    for (const { schema, jsonSchema, ...rest } of this.#resources.get(path) ?? []) {
      const { group, version, kind, plural, scope, verbs, subresources } = rest;
      sum.update(JSON.stringify([group, version, kind, plural, scope, verbs, subresources, jsonSchema]));
      // The types of built-in kinds change only as a whole.
      if (jsonSchema === undefined) sum.update(schema.name).update(this.#typesHash());
    }
    const hash = sum.digest('hex').toUpperCase();
    this.#hashes.set(path, hash);
    return hash;
  }

  #typesHash(): string {
    const before = this.#hashes.get('');
    if (before !== undefined) return before;
    const hash = createHash('sha256').update(types).digest('hex');
    this.#hashes.set('', hash);
    return hash;
  }
}

/** `api/v1` or `apis/apps/v1`. */
function groupVersionPath({ group, version }: Pick<OpenApiResource, 'group' | 'version'>): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}
