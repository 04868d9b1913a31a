import { reportFailure, run } from '#cli/run.ts';
import { processOutput } from '#cli/output.ts';
import { verbs } from '#cli/verbs.ts';

/** The command line: returns the exit code. */
export async function main(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
  // The reader of a pipe may leave early (`slipway logs | head`).
  process.stdout.on('error', () => process.exit(0));
  try {
    const uid = process.geteuid?.() ?? 0;
    return await run({ args, env, rows: verbs, output: processOutput, uid }, interrupted.signal);
  } catch (error) {
    return interrupted.signal.aborted ? 130 : reportFailure(error, processOutput);
  }
}
