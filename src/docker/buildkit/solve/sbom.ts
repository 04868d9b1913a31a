import { StatusError } from '#base/errors.ts';
import type { BuildResult, Scanner } from '#engine/build/builder.ts';
import type { Attestation } from '#engine/images/images.ts';
import { formatPlatform } from '#formats/oci-json.ts';
import { familiarReference, parseReference, withDefaultTag } from '#formats/reference.ts';

import { Task } from '../progress/task.ts';
import type { ActiveBuild } from './active-build.ts';
import { attestFields, isTrue } from './attest-fields.ts';

/** BuildKit's (frontend/dockerui/config.go). */
const defaultGenerator = 'docker/buildkit-syft-scanner:stable-1';

/** Reads the value of `attest:sbom`; undefined is none. Throws InvalidArgument. */
export function sbomOptions(text: string | undefined): Scanner | undefined {
  if (text === undefined) return undefined;
  const { type: _, disabled, generator = defaultGenerator, ...parameters } = attestFields(text);
  if (isTrue(disabled)) return undefined;
  if (generator === '') throw new StatusError('InvalidArgument', 'sbom generator cannot be empty');
  return { generator: familiarReference(withDefaultTag(parseReference(generator))), parameters };
}

/** The packages of a result, listed as a line of the progress. */
export async function sbomOf(
  build: ActiveBuild,
  scanner: Scanner,
  result: BuildResult,
): Promise<readonly Attestation[]> {
  const platform = formatPlatform(result.platform);
  const name = `[${platform}] generating sbom using ${scanner.generator}`;
  const task = new Task(build.log, `${build.ref} sbom ${platform}`, name);
  return await task.run(() => result.scan(scanner, (bytes) => task.output(bytes), build.signal));
}
