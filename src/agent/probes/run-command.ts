import { deadline } from '#base/clock.ts';
import type { Containers } from '#engine/runtime/containers.ts';

import type { ProbeResult } from './probe-result.ts';

/** Of a command's output, what is told. */
const outputMost = 10_240;

/** Runs a command in a container; its exit code decides. It is not waited for longer than its time. */
export async function runCommand(
  containers: Pick<Containers, 'createExec' | 'startExec' | 'exec'>,
  containerId: string,
  args: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const common = { env: [], cwd: '', user: '', tty: false, attachStdin: false, privileged: false };
  const exec = containers.createExec(containerId, { args, ...common });
  const limit = deadline(timeoutMs, signal);
  const parts: Buffer[] = [];
  try {
    await using attachment = await containers.startExec(exec.id, { detach: false }, limit);
    await untilAborted(collect(attachment.output, parts), limit);
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.aborted) throw error;
    const seconds = String(timeoutMs / 1000);
    return { ok: false, message: `command timed out: "${args.join(' ')}" timed out after ${seconds}s` };
  }
  const { exitCode } = containers.exec(exec.id);
  return { ok: exitCode === 0, message: Buffer.concat(parts).toString().slice(0, outputMost) };
}

async function collect(output: AsyncIterable<{ readonly bytes: Uint8Array }>, parts: Buffer[]): Promise<void> {
  let sizeBytes = 0;
  for await (const { bytes } of output) {
    if (sizeBytes < outputMost) parts.push(Buffer.from(bytes));
    sizeBytes += bytes.length;
  }
}

async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  work.catch(() => {});
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
