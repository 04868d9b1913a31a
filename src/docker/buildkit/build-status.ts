import { messageOf, StatusError } from '#base/errors.ts';
import { StepError } from '#engine/build/step-error.ts';
import { SourceError } from '#formats/dockerfile/source-error.ts';

import { type ErrorDetail, type GrpcStatus, grpcCodes } from './grpc/grpc-status.ts';

/** Lines around the marked ones that clients show, at most. */
const shownLines = 6;

/** An error as BuildKit's clients expect it: the sentence, and the place in the Dockerfile for them to print. */
export function buildStatus(error: unknown): GrpcStatus {
  if (!(error instanceof StatusError)) return { code: grpcCodes.internal, message: messageOf(error), details: [] };
  if (error instanceof SourceError)
    return { code: grpcCodes.unknown, message: buildSentence(error), details: [sourceDetail(error)] };
  return { code: grpcCodes.unknown, message: error.message, details: [] };
}

/** What went wrong, without the place. A command that failed is told in BuildKit's words. */
export function buildSentence(error: unknown): string {
  if (error instanceof StepError) {
    const command = error.args.join(' ');
    return `process ${JSON.stringify(command)} did not complete successfully: exit code: ${String(error.exitCode)}`;
  }
  return error instanceof SourceError ? error.sentence : messageOf(error);
}

/** buildkit: solver/errdefs/source.go, as JSON of its Go struct. Lines that nobody looks at are sent empty. */
function sourceDetail({ source, at }: SourceError): ErrorDetail {
  const lines = source.lines
    .slice(0, at.end + shownLines)
    .map((line, index) => (index + 1 < at.start - shownLines ? '' : line));
  const value = {
    info: { filename: source.name, data: Buffer.from(lines.join('\n')).toString('base64'), language: 'Dockerfile' },
    ranges: [{ start: { line: at.start }, end: { line: at.end } }],
  };
  return { typeUrl: 'github.com/moby/buildkit/errdefs.Source+json', value: Buffer.from(JSON.stringify(value)) };
}
