/** A hijacked connection: raw bytes both ways, each way closed on its own. */
export interface Connection {
  /** What the client sends; ends when it half-closes. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Resolves when there is room for more. Rejects when the client is gone. */
  write(bytes: Uint8Array): Promise<void>;
}
