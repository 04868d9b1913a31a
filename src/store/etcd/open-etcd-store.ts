import { required } from '#base/assert.ts';
import { every } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import type { Decoded, Encodable, Message } from '#formats/protobuf/message.ts';

import { ChangeFeed, type FeedBounds, type Stretch } from '../change-feed.ts';
import { conflict, expired, storeClosed, tooNew } from '../failures.ts';
import { checkRemove, checkTtl, checkWrite } from '../limits.ts';
import type { Change, Entry, Listing, Page, PutOptions, Store } from '../store.ts';
import { EtcdClient, type CallKind, type Method } from './etcd-client.ts';
import type { EtcdTls } from './etcd-connection.ts';
import { isCompacted, isFuture, ofEtcd } from './etcd-failure.ts';
import { KeySpace } from './key-space.ts';
import { LeasePool } from './lease-pool.ts';
import { compactMethod, compareModRevision, grantMethod, rangeMethod, transactionMethod } from './messages.ts';
import { watchEvents } from './watch-events.ts';

export interface EtcdStoreOptions {
  /** For https. */
  readonly tls?: EtcdTls;
  /** Before all keys, where others use the cluster as well; we must be allowed to watch theirs, whose revisions count with ours. */
  readonly prefix?: string;
  /** What was before is kept for once to twice this time; 0: until `compact` is called. */
  readonly compactEveryMs?: number;
  readonly feed?: Partial<FeedBounds>;
}

const compactEveryMs = 5 * 60_000;
/** Entries that are asked for at once. */
const pageEntries = 1000;
/** Revisions before the present one that are read at the start, so that watches from there are served from memory. */
const revisionsBack = 2000n;
const listsMost = 3;

/**
 * Opens a store in etcd (3.4 or newer); `url` names its members, `https://one:2379,https://two:2379`. Throws Unavailable
 * when none answers, InvalidArgument.
 */
export async function openEtcdStore(url: string, options: EtcdStoreOptions, signal: AbortSignal): Promise<Store> {
  const client = new EtcdClient(endpointsOf(url, options.tls), options.tls);
  try {
    return await EtcdStore.open(client, options, signal);
  } catch (error) {
    client[Symbol.dispose]();
    throw error;
  }
}

class EtcdStore implements Store {
  readonly #client: EtcdClient;
  readonly #keys: KeySpace;
  readonly #leases: LeasePool;
  readonly #feed: ChangeFeed;
  readonly #closing = new AbortController();
  readonly #timer: Disposable | undefined;
  /** The latest revision that we wrote; the watch tells of it in a moment. */
  #written = 0n;
  /** The revision at the last automatic compaction. */
  #seen: bigint;

  private constructor(client: EtcdClient, options: EtcdStoreOptions, revision: bigint) {
    this.#client = client;
    this.#keys = new KeySpace(options.prefix ?? '');
    this.#leases = new LeasePool(async (ttl, signal) => (await client.call(grantMethod, { ttl }, 'read', signal)).id);
    this.#seen = revision;
    const since = revision > revisionsBack ? revision - revisionsBack : 0n;
    this.#feed = new ChangeFeed({
      ...(options.feed === undefined ? {} : { bounds: options.feed }),
      revision: since,
      history: (prefix, from, either) => this.#history(prefix, from, either),
    });
    const period = options.compactEveryMs ?? compactEveryMs;
    this.#timer = period === 0 ? undefined : every(period, () => void this.#compactSeen().catch(() => {}));
    void this.#follow(since).catch((error: unknown) => this.#feed.fail(error));
  }

  static async open(client: EtcdClient, options: EtcdStoreOptions, signal: AbortSignal): Promise<EtcdStore> {
    try {
      return new EtcdStore(client, options, await presentRevision(client, signal));
    } catch (error) {
      throw ofEtcd(error, 'open the store');
    }
  }

  async get(key: string, signal: AbortSignal): Promise<Entry | undefined> {
    this.#check(signal);
    if (key === '') return undefined;
    const { kvs } = await this.#call(
      rangeMethod,
      { key: this.#keys.bytesOf(key) },
      { what: `read "${key}"`, kind: 'read' },
      signal,
    );
    return kvs[0] === undefined ? undefined : this.#entry(kvs[0]);
  }

  async list(prefix: string, page: Page, signal: AbortSignal): Promise<Listing> {
    this.#check(signal);
    for (let list = 1; ; list += 1) {
      try {
        return await this.#listOnce(prefix, page, signal);
      } catch (error) {
        const asked = page.at ?? 0n;
        if (isFuture(error)) throw tooNew(asked, await this.revision(signal));
        if (!isCompacted(error)) throw ofEtcd(error, `list "${prefix}"`);
        // Without a revision it is our own paging that took too long.
        if (page.at !== undefined || list === listsMost) throw expired(asked, await this.revision(signal));
      }
    }
  }

  async put(
    key: string,
    value: Uint8Array,
    expected: bigint,
    options: PutOptions,
    signal: AbortSignal,
  ): Promise<bigint> {
    this.#check(signal);
    checkWrite(key, value);
    checkTtl(options.ttlSeconds);
    const what = `write "${key}"`;
    const lease = options.ttlSeconds === undefined ? 0n : await this.#lease(options.ttlSeconds, what, signal);
    const name = this.#keys.bytesOf(key);
    return await this.#write(key, expected, { put: { key: name, value, lease } }, signal);
  }

  async remove(key: string, expected: bigint, signal: AbortSignal): Promise<bigint> {
    this.#check(signal);
    checkRemove(key, expected);
    return await this.#write(key, expected, { deleteRange: { key: this.#keys.bytesOf(key) } }, signal);
  }

  watch(prefix: string, since: bigint, signal: AbortSignal): AsyncIterable<Change> {
    return this.#feed.watch(prefix, { since, known: this.#written }, signal);
  }

  async revision(signal: AbortSignal): Promise<bigint> {
    this.#check(signal);
    try {
      const revision = await presentRevision(this.#client, this.#either(signal));
      this.#feed.expect(revision);
      return revision;
    } catch (error) {
      throw ofEtcd(error, 'ask for the revision');
    }
  }

  async compact(before: bigint, signal: AbortSignal): Promise<void> {
    this.#check(signal);
    try {
      await this.#client.call(compactMethod, { revision: before }, 'read', this.#either(signal));
    } catch (error) {
      if (isFuture(error)) throw tooNew(before, await this.revision(signal));
      if (!isCompacted(error)) throw ofEtcd(error, `compact to revision ${String(before)}`);
    }
    this.#feed.compact(before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(storeClosed());
    this.#timer?.[Symbol.dispose]();
    this.#feed.fail(storeClosed());
    this.#feed[Symbol.dispose]();
    this.#client[Symbol.dispose]();
    await Promise.resolve();
  }

  #check(signal: AbortSignal): void {
    signal.throwIfAborted();
    this.#closing.signal.throwIfAborted();
  }

  #either(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal]);
  }

  async #listOnce(prefix: string, { after = '', limit, at }: Page, signal: AbortSignal): Promise<Listing> {
    const entries: Entry[] = [];
    let revision = at ?? 0n;
    for (let from = after; ; from = entries.at(-1)?.key ?? after) {
      const most = limit === undefined ? pageEntries : Math.min(pageEntries, limit - entries.length);
      const request = { ...this.#keys.range(prefix, from), limit: BigInt(most), revision };
      const page = await this.#client.call(rangeMethod, request, 'read', this.#either(signal));
      if (revision === 0n) revision = page.header?.revision ?? 0n;
      for (const kv of page.kvs) entries.push(this.#entry(kv));
      if (page.more && entries.length !== limit) continue;
      return { entries, revision, hasMore: page.more, remaining: Number(page.count) - page.kvs.length };
    }
  }

  async #lease(ttlSeconds: number, what: string, signal: AbortSignal): Promise<bigint> {
    try {
      return await this.#leases.leaseFor(ttlSeconds, this.#either(signal));
    } catch (error) {
      throw ofEtcd(error, what);
    }
  }

  async #write(key: string, expected: bigint, operation: Operation, signal: AbortSignal): Promise<bigint> {
    const name = this.#keys.bytesOf(key);
    const request = {
      compare: [{ target: compareModRevision, key: name, modRevision: expected }],
      success: [operation],
      failure: [{ range: { key: name } }],
    };
    const reply = await this.#call(transactionMethod, request, { what: `write "${key}"`, kind: 'write' }, signal);
    if (reply.succeeded) return this.#noteWritten(reply.header?.revision ?? 0n);
    throw conflict(key, expected, reply.responses[0]?.range?.kvs[0]?.modRevision ?? 0n);
  }

  #noteWritten(revision: bigint): bigint {
    if (revision > this.#written) this.#written = revision;
    return revision;
  }

  /** Hands all changes to the feed, for as long as the store is open. */
  async #follow(from: bigint): Promise<void> {
    const { signal } = this.#closing;
    for (let since = from; !signal.aborted;) {
      try {
        for await (const { changes, reached } of watchEvents(this.#client, this.#keys, since, signal)) {
          since = reached;
          this.#feed.append(changes, reached);
        }
      } catch {
        // What comes next was compacted: those who watch learn it when they ask for what they miss.
        since = await presentRevision(this.#client, signal).catch(() => since);
        this.#feed.restart(since);
      }
    }
  }

  /** For who asks for changes that are not in memory, until it has caught up. */
  async *#history(prefix: string, since: bigint, signal: AbortSignal): AsyncGenerator<Stretch, void, undefined> {
    for await (const { changes, reached } of watchEvents(this.#client, this.#keys, since, this.#either(signal)))
      yield { changes: changes.filter(({ key }) => key.startsWith(prefix)), reached };
  }

  async #compactSeen(): Promise<void> {
    const before = this.#seen;
    this.#seen = await this.revision(this.#closing.signal);
    await this.compact(before, this.#closing.signal);
  }

  async #call<Q extends Message, A extends Message>(
    method: Method<Q, A>,
    request: Encodable<Q>,
    { what, kind }: { readonly what: string; readonly kind: CallKind },
    signal: AbortSignal,
  ): Promise<Decoded<A>> {
    try {
      return await this.#client.call(method, request, kind, this.#either(signal));
    } catch (error) {
      throw ofEtcd(error, what);
    }
  }

  #entry({ key, value, modRevision }: KeyValue): Entry {
    return { key: required(this.#keys.keyOf(key), 'a key of ours'), value, revision: modRevision };
  }
}

type KeyValue = Decoded<typeof rangeMethod.reply>['kvs'][number];
type Operation = NonNullable<Encodable<typeof transactionMethod.request>['success']>[number];

/** As all members agree. */
async function presentRevision(client: EtcdClient, signal: AbortSignal): Promise<bigint> {
  const { header } = await client.call(rangeMethod, { key: Uint8Array.of(0) }, 'read', signal);
  return header?.revision ?? 0n;
}

function endpointsOf(text: string, tls: EtcdTls | undefined): readonly URL[] {
  const urls = text.split(',').map((part) => URL.parse(part.trim()));
  const known = urls.flatMap((url) => (url !== null && /^https?:$/.test(url.protocol) ? [url] : []));
  if (known.length === urls.length && (tls === undefined || known.every(({ protocol }) => protocol === 'https:')))
    return known;
  throw new StatusError(
    'InvalidArgument',
    `Cannot open the store "${text}": want URLs of etcd's members such as https://one:2379,https://two:2379, all of them https with a certificate`,
  );
}
