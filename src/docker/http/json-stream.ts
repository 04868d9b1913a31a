import { messageOf } from '#base/errors.ts';
import type { TransferProgress } from '#engine/images/images.ts';

import type { Output } from './output.ts';

/** One message of Docker's JSON streams; lines end as Docker's do. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\r\n`;
}

/** How an error is told once the stream has begun. */
export function errorLine(error: unknown): string {
  const message = messageOf(error);
  return jsonLine({ errorDetail: { message }, error: message });
}

/** Progress of a transfer as `docker pull` and `docker push` show it. Dropped when the client does not read. */
export function offerProgress(output: Output, progress: TransferProgress): void {
  const { id, status, currentBytes, totalBytes } = progress;
  const detail = {
    ...(currentBytes !== undefined && { current: currentBytes }),
    ...(totalBytes !== undefined && { total: totalBytes }),
  };
  output.offer(jsonLine({ status, ...(id === '' ? {} : { progressDetail: detail, id }) }));
}
