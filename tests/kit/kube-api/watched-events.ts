import { PassThrough } from 'node:stream';

import type { Json } from './json.ts';

/** Events of a watch, read one after the other. */
export class WatchedEvents {
  readonly #out = new PassThrough();
  readonly #gone = new AbortController();
  readonly #lines: AsyncIterator<Json>;

  constructor(start: (out: PassThrough, signal: AbortSignal) => Promise<void>) {
    void start(this.#out, this.#gone.signal);
    this.#lines = jsonLines(this.#out);
  }

  /** The next event; undefined at the end. */
  async next(): Promise<Json> {
    const { done, value } = await this.#lines.next();
    return done === true ? undefined : value;
  }

  /** `TYPE name` of the next events. */
  async names(count: number): Promise<readonly string[]> {
    const names: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const event = await this.next();
      names.push(`${event.type as string} ${(event.object.metadata.name ?? '') as string}`.trim());
    }
    return names;
  }

  end(): void {
    this.#gone.abort(new Error('the client has left'));
    this.#out.destroy();
  }
}

async function* jsonLines(stream: AsyncIterable<Buffer>): AsyncGenerator<Json, void, undefined> {
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line);
  }
}
