import { createHash } from 'node:crypto';

import { rangesOf } from '../http/accept.ts';
import type { BodyReply, Call } from '../http/call.ts';
import type { ResourceTable } from '../resources/resource-table.ts';
import {
  aggregatedDocument,
  coreVersionsDocument,
  groupDocument,
  groupListDocument,
  groupsOf,
  resourceListDocument,
} from './discovery-documents.ts';

interface Document {
  readonly body: string;
  readonly etag: string;
}

/** Documents that say what is served, made when they are asked for and kept until something else is served. */
export class Discovery {
  readonly #resources: ResourceTable;
  readonly #serverAddress: () => string;
  #documents = new Map<string, Document>();
  #generation = 0;

  constructor(resources: ResourceTable, serverAddress: () => string) {
    this.#resources = resources;
    this.#serverAddress = serverAddress;
  }

  /** undefined: the path is none of discovery's, or names nothing that is served. */
  reply(call: Call): BodyReply | undefined {
    const parts = call.path.split('/').filter((part) => part !== '');
    const isCore = parts[0] === 'api';
    if (!isCore && parts[0] !== 'apis') return undefined;
    if (parts.length === 1) return this.#root(call, isCore);
    const [group = '', version] = isCore ? ['', parts[1]] : [parts[1], parts[2]];
    if (parts.length > (isCore ? 2 : 3)) return undefined;
    return this.#plain(call, `${group}/${version ?? ''}`, () => this.#groupDocument(group, version));
  }

  #root(call: Call, isCore: boolean): BodyReply | undefined {
    const version = aggregatedVersion(call.header('accept'));
    const groups = groupsOf(this.#resources.all().map(({ def }) => def)).filter(
      ({ group }) => (group === '') === isCore,
    );
    if (version === undefined) {
      const make = (): object => (isCore ? coreVersionsDocument(this.#serverAddress()) : groupListDocument(groups));
      return this.#plain(call, isCore ? 'api' : 'apis', make);
    }
    const document = this.#document(`${version} ${String(isCore)}`, () => aggregatedDocument(groups, version));
    const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    return documentReply(call, document ?? { body: '', etag: '' }, type);
  }

  #plain(call: Call, key: string, make: () => object | undefined): BodyReply | undefined {
    const document = this.#document(key, make);
    return document === undefined ? undefined : documentReply(call, document, 'application/json');
  }

  #groupDocument(group: string, version: string | undefined): object | undefined {
    const found = groupsOf(this.#resources.all().map(({ def }) => def)).find((one) => one.group === group);
    if (found === undefined) return undefined;
    if (version === undefined) return groupDocument(found);
    const kinds = found.versions.find((one) => one.version === version)?.kinds;
    return kinds === undefined ? undefined : resourceListDocument(group, version, kinds);
  }

  #document(key: string, make: () => object | undefined): Document | undefined {
    if (this.#generation !== this.#resources.generation) {
      this.#documents = new Map();
      this.#generation = this.#resources.generation;
    }
    const known = this.#documents.get(key);
    if (known !== undefined) return known;
    const value = make();
    if (value === undefined) return undefined;
    const body = JSON.stringify(value);
    const document = { body, etag: `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"` };
    this.#documents.set(key, document);
    return document;
  }
}

/** Which aggregated document is wanted rather than the plain one, by the order of the Accept header. */
function aggregatedVersion(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const { type, parameters } of rangesOf(accept)) {
    if (parameters['as'] === undefined && ['application/json', '*/*', 'application/*'].includes(type)) return undefined;
    const isOurs = type === 'application/json' && parameters['g'] === 'apidiscovery.k8s.io';
    const version = parameters['v'];
    if (isOurs && parameters['as'] === 'APIGroupDiscoveryList' && (version === 'v2' || version === 'v2beta1'))
      return version;
  }
  return undefined;
}

function documentReply(call: Call, { body, etag }: Document, contentType: string): BodyReply {
  const headers = { etag, vary: 'Accept' };
  const isKnown = call.header('if-none-match') === etag;
  return { kind: 'body', status: isKnown ? 304 : 200, contentType, body: isKnown ? '' : body, headers };
}
