import { StatusError } from '#base/errors.ts';
import type { LineRange, SourceFile } from '#formats/dockerfile/dockerfile.ts';
import { sourceError } from '#formats/dockerfile/source-error.ts';

/** A RUN instruction ended with a code other than 0: the code is what `docker build` exits with. */
export class StepError extends StatusError {
  readonly exitCode: number;

  constructor(source: SourceFile, at: LineRange, args: readonly string[], exitCode: number) {
    const command = args.join(' ').replaceAll('\n', ' ');
    const { message, reason, problems } = sourceError(
      source,
      at,
      `The command '${command}' returned a non-zero code: ${String(exitCode)}`,
    );
    super(reason, message, { problems });
    this.exitCode = exitCode;
  }
}
