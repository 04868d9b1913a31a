import type { LineRange, SourceFile } from '#formats/dockerfile/dockerfile.ts';
import { SourceError, sourceError } from '#formats/dockerfile/source-error.ts';

/** A RUN instruction ended with a code other than 0: the code is what `docker build` exits with. */
export class StepError extends SourceError {
  readonly exitCode: number;
  readonly args: readonly string[];

  constructor(source: SourceFile, at: LineRange, args: readonly string[], exitCode: number) {
    const command = args.join(' ').replaceAll('\n', ' ');
    const text = `The command '${command}' returned a non-zero code: ${String(exitCode)}`;
    const { reason, sentence } = sourceError(source, at, text);
    super(reason, source, at, sentence);
    this.exitCode = exitCode;
    this.args = args;
  }
}
