import { unreachable } from '#base/assert.ts';
import { messageOf } from '#base/errors.ts';
import { shortId } from '#base/ids.ts';
import type { BuildEvent } from '#engine/build/builder.ts';
import { StepError } from '#engine/build/step-error.ts';

import { jsonLine } from '../http/json-stream.ts';
import type { Output } from '../http/output.ts';

const droppedNotice = '[output was dropped: the client reads too slowly]\n';

/** Says what a builder does in the words of the classic endpoint. */
export class BuildOutput {
  readonly #output: Output;
  readonly #quiet: boolean;
  readonly #decoder = new TextDecoder('utf-8');
  #dropped = false;

  constructor(output: Output, quiet: boolean) {
    this.#output = output;
    this.#quiet = quiet;
  }

  readonly onEvent = (event: BuildEvent): void => {
    if (!this.#quiet) this.#tell(event);
  };

  /** The last lines of a build that succeeded. */
  async finish(imageId: string, tags: readonly string[]): Promise<void> {
    await this.#output.write(jsonLine({ aux: { ID: imageId } }));
    if (this.#quiet) {
      await this.#output.write(jsonLine({ stream: `${imageId}\n` }));
      return;
    }
    await this.#output.write(jsonLine({ stream: `Successfully built ${shortId(imageId)}\n` }));
    for (const tag of tags) await this.#output.write(jsonLine({ stream: `Successfully tagged ${tag}\n` }));
  }

  /** Tells an error once the stream has begun; a failed RUN gives `docker build` its exit code. */
  async fail(error: unknown): Promise<void> {
    const message = messageOf(error);
    const code = error instanceof StepError ? { code: error.exitCode } : {};
    await this.#output.write(jsonLine({ errorDetail: { ...code, message }, error: message }));
  }

  #tell(event: BuildEvent): void {
    switch (event.kind) {
      case 'step':
        return this.#line(`Step ${String(event.number)}/${String(event.total)} : ${event.text}\n`);
      case 'cached':
        return this.#line(' ---> Using cache\n');
      case 'layer':
        return this.#line(` ---> ${event.id}\n`);
      case 'output':
        return this.#line(this.#decoder.decode(event.bytes, { stream: true }));
      case 'warning':
        return this.#line(`[Warning] ${event.text}\n`);
      case 'progress': {
        const { id, status, currentBytes, totalBytes } = event;
        const detail = {
          ...(currentBytes !== undefined && { current: currentBytes }),
          ...(totalBytes !== undefined && { total: totalBytes }),
        };
        this.#output.offer(jsonLine({ status, ...(id !== '' && { id, progressDetail: detail }) }));
        return;
      }
      case 'plan':
      case 'failed':
      case 'built':
        return;
      default:
        unreachable(event);
    }
  }

  #line(text: string): void {
    if (text === '') return;
    const notice = this.#dropped ? droppedNotice : '';
    this.#dropped = !this.#output.offer(jsonLine({ stream: notice + text }));
  }
}
