import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { ApiError } from '#kube/status.ts';

/** Answers a request to leave HTTP/1.1 while there is no node agent that could take the connection over. */
export function refuseUpgrade(_request: IncomingMessage, socket: Duplex): void {
  const error = new ApiError(
    'ServiceUnavailable',
    'Cannot open a stream to a container: no node agent is connected to this API server',
  );
  const body = JSON.stringify(error.toStatus());
  socket.end(
    `HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nconnection: close\r\n` +
      `content-length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
  );
}
