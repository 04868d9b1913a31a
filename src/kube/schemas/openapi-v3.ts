import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';

import { types } from '../gen/types.ts';
import type { Json } from './component-schemas.ts';
import { openApiDocument, type OpenApiResource } from './openapi-document.ts';

export interface OpenApiFile {
  /** Changes when the document does: for the URL and the ETag. */
  readonly hash: string;
  /** Compressed by gzip, which is how it is kept. */
  readonly gzip: Uint8Array;
  /** Unpacks it. */
  json(): Uint8Array;
}

/**
 * OpenAPI v3 documents of the group versions that a list of resources has. A document is made when it is first asked for
 * and kept compressed; hashes are made of what it is made from.
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
    const file: OpenApiFile = { hash: this.#hash(path), gzip, json: () => gunzipSync(gzip) };
    this.#files.set(path, file);
    return file;
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
