import { once } from 'node:events';
import type { Writable } from 'node:stream';

import { after } from '#base/clock.ts';
import { randomBelow } from '#base/ids.ts';
import { ApiError, type Status } from '#kube/status.ts';

import { acceptedForm } from '../http/accept.ts';
import type { Reply } from '../http/call.ts';
import { apiVersionOf, viewOf, type ServedResource } from '../resources/served-resource.ts';
import { parseListOptions, type ListOptions } from '../storage/list-options.ts';
import { selectionFor } from '../storage/selection.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import { WatchFrames, type WatchEventType } from '../storage/watch-frames.ts';
import { watchObjects, type WatchSink } from '../storage/watch-objects.ts';
import { storageOf } from '../writes/update-object.ts';
import type { ApiContext, ResourceCall } from './context.ts';
import { included } from './object-replies.ts';
import { partialObject } from './partial-metadata.ts';
import { tableOf, type IncludeObject } from './table.ts';

/** As upstream's minimum: watches end after this or up to twice as long, so that clients do not come back all at once. */
const timeoutSecondsLeast = 1800;
/** What a client may leave unread before its watch is cut, and before the state at the start waits for it. */
const unreadBytesMost = 16 * 1024 * 1024;
const fullBytes = 1024 * 1024;

/** Sends the changes of a resource as lines of JSON until the client leaves or the time is up. */
export function watchResource(context: ApiContext, { call, resource }: ResourceCall): Reply {
  const storage = storageOf(resource, '');
  const options = parseListOptions(call.query, true);
  const { form, encoding } = acceptedForm(call.header('accept'));
  if (encoding !== 'json')
    throw new ApiError('NotAcceptable', 'only the following media types are accepted: application/json;stream=watch');
  const selection = selectionFor(options.labelSelector, options.fieldSelector, resource.def);
  const include = included(call);
  return {
    kind: 'stream',
    status: 200,
    contentType: 'application/json',
    write: async (out, signal) => {
      const stop = new AbortController();
      const both = AbortSignal.any([signal, stop.signal]);
      using owned = new DisposableStack();
      const cut = (): void => {
        stop.abort(new Error('the watch ends'));
        // What its client does not read is not kept for it.
        out.destroy();
      };
      const sink = new LineSink(out, encoderFor(context, resource, form, include), bookmarkObject(resource), cut);
      owned.use(after(timeoutMs(options), () => stop.abort(new Error('the time of the watch is up'))));
      const listing = { storage, view: viewOf(resource), namespace: call.info.namespace, options, selection };
      await watchObjects(listing, sink, both).catch((error: unknown) => {
        if (!both.aborted) throw error;
      });
    },
  };
}

function timeoutMs({ timeoutSeconds = 0 }: ListOptions): number {
  const seconds = timeoutSeconds > 0 ? timeoutSeconds : timeoutSecondsLeast + randomBelow(timeoutSecondsLeast);
  // Timers take 31 bits of milliseconds.
  return Math.min(seconds * 1000, 2 ** 31 - 1);
}

type Encode = (type: WatchEventType, object: StoredObject) => Uint8Array | string;

function encoderFor(
  { nowMs }: ApiContext,
  resource: ServedResource,
  form: 'object' | 'table' | 'partial',
  include: IncludeObject,
): Encode {
  if (form === 'partial') return (type, { object }) => line(type, partialObject(object));
  if (form === 'object')
    return resource.conversion === undefined ? storageOf(resource, '').frames.frame : new WatchFrames().frame;
  let isFirst = true;
  return (type, { object }) => {
    const version = { resourceVersion: object.metadata.resourceVersion ?? '' };
    const { columnDefinitions, ...table } = tableOf(resource.def, [object], version, include, nowMs()) as {
      columnDefinitions: unknown;
    };
    // Only the first table says what its columns are.
    const columns = isFirst ? columnDefinitions : null;
    isFirst = false;
    return line(type, { ...table, columnDefinitions: columns });
  };
}

function bookmarkObject({ def }: ServedResource): { readonly kind: string; readonly apiVersion: string } {
  return { kind: def.kind, apiVersion: apiVersionOf(def) };
}

class LineSink implements WatchSink {
  readonly #out: Writable;
  readonly #encode: Encode;
  readonly #bookmark: object;
  readonly #end: () => void;

  constructor(out: Writable, encode: Encode, bookmark: object, end: () => void) {
    this.#out = out;
    this.#encode = encode;
    this.#bookmark = bookmark;
    this.#end = end;
  }

  event(type: WatchEventType, object: StoredObject): void {
    this.#write(this.#encode(type, object));
  }

  bookmark(revision: bigint, endsInitial: boolean): void {
    const annotations = endsInitial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const metadata = { resourceVersion: String(revision), ...annotations };
    this.#write(line('BOOKMARK', { ...this.#bookmark, metadata }));
  }

  error(status: Status): void {
    this.#write(line('ERROR', status));
  }

  get isFull(): boolean {
    return this.#out.writableNeedDrain && this.#out.writableLength > fullBytes;
  }

  async whenRead(signal: AbortSignal): Promise<void> {
    await once(this.#out, 'drain', { signal });
  }

  #write(text: Uint8Array | string): void {
    if (this.#out.destroyed) return;
    this.#out.write(text);
    if (this.#out.writableLength > unreadBytesMost) this.#end();
  }
}

function line(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}
