import { subprotocolOf, WebSocket, type WebSocketUpgrade } from './web-socket.ts';

/** Channels of kubectl's streams: the first byte of each message (apimachinery, remotecommand/websocket). */
export const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
/** Version 5: this byte, and that of a channel, end the channel. */
const closing = 255;
/** In the order of our liking; only version 5 can end stdin. */
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

export type ChannelMessage =
  | { readonly channel: number; readonly data: Buffer }
  /** The client sends no more on a channel. */
  | { readonly ended: number };

/** A WebSocket whose messages belong to channels. */
export class ChannelSocket implements Disposable {
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Whether a request asks for channels that we know. */
  static isFor(upgrade: Pick<WebSocketUpgrade, 'headers'>): boolean {
    return subprotocolOf(upgrade, protocols) !== undefined;
  }

  /** Answers the request. Throws InvalidArgument when it asks for nothing that we know. */
  static accept(upgrade: WebSocketUpgrade): ChannelSocket {
    return new ChannelSocket(WebSocket.accept(upgrade, protocols));
  }

  /** Resolves when more may be sent. */
  async send(channel: number, data: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#socket.send([Buffer.from([channel]), data], signal);
  }

  /** What the client sends, until it closes or goes. Throws what the WebSocket's reader throws. */
  async *messages(): AsyncGenerator<ChannelMessage> {
    for await (const message of this.#socket.messages()) {
      const [channel = 0, second = 0] = message;
      if (channel === closing) yield { ended: second };
      else if (message.length > 0) yield { channel, data: message.subarray(1) };
    }
  }

  /** Says goodbye; what was sent before arrives. */
  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}
