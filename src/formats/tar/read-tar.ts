import type { TarEntry } from '../tar-entry.ts';
import { TarParser } from './tar-parser.ts';

export interface TarMember {
  readonly entry: TarEntry;
  /** The file's bytes, holes as zeros; valid until the next member is asked for, and read at most once. */
  readonly body: AsyncIterable<Uint8Array>;
}

type Event = { readonly entry: TarEntry } | { readonly bytes: Uint8Array; readonly offset: number } | 'end';

const zeros = new Uint8Array(65_536);

/**
 * The members of an uncompressed tar archive, one after the other; a body that is not read is skipped. Memory stays at
 * one chunk of the source. See TarParser for what it reads and throws. The source is drained to its end.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember, void, undefined> {
  const events = parse(source)[Symbol.asyncIterator]();
  try {
    for (let next = await events.next(); next.done !== true; next = await events.next()) {
      const event = next.value;
      if (event === 'end' || !('entry' in event)) continue;
      const body = readBody(event.entry, events);
      yield { entry: event.entry, body };
      for await (const _ of body);
    }
  } finally {
    await events.return?.();
  }
}

async function* readBody(
  entry: TarEntry,
  events: AsyncIterator<Event, void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = 0;
  let open = true;
  try {
    while (open) {
      const next = await events.next();
      open = next.done !== true && next.value !== 'end';
      if (!open || next.done === true || next.value === 'end' || !('bytes' in next.value)) continue;
      yield* hole(next.value.offset - position);
      position = next.value.offset + next.value.bytes.length;
      yield next.value.bytes;
    }
    yield* hole(entry.sizeBytes - position);
  } finally {
    while (open) {
      const next = await events.next();
      open = next.done !== true && next.value !== 'end';
    }
  }
}

async function* parse(source: AsyncIterable<Uint8Array>): AsyncGenerator<Event, void, undefined> {
  let found: Event[] = [];
  const parser = new TarParser({
    onEntry: (entry) => found.push({ entry }),
    onBody: (bytes, offset) => found.push({ bytes, offset }),
    onEntryEnd: () => found.push('end'),
  });
  for await (const chunk of source) {
    parser.push(chunk);
    const events = found;
    found = [];
    yield* events;
  }
  parser.end();
}

function* hole(sizeBytes: number): Generator<Uint8Array, void, undefined> {
  for (let left = sizeBytes; left > 0; left -= zeros.length) yield zeros.subarray(0, Math.min(left, zeros.length));
}
