import type { ApiVersion } from './api-version.ts';
import type { Decoder } from './decode.ts';
import type { Query } from './query.ts';
import type { Reply } from './reply.ts';

/** One request of a client, as handlers see it. */
export interface Call {
  readonly version: ApiVersion;
  /** Values of the path template's `{names}`, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  /** A header's value, '' when missing; the name in lower case. */
  header(name: string): string;
  readonly body: Body;
}

/** The body of a request; read at most once. */
export interface Body {
  /** Reads and decodes JSON of at most 4 MiB; an empty body is an empty object. Throws InvalidArgument or TooLarge. */
  json<T>(decoder: Decoder<T>): Promise<T>;
  /** The raw bytes as they come. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** `signal` aborts when the client is gone or the server stops. */
export type Handler = (call: Call, signal: AbortSignal) => Reply | Promise<Reply>;
