import { StatusError } from '#base/errors.ts';
import type { BaseImage } from '#engine/build/builder.ts';
import type { Attestation } from '#engine/images/images.ts';
import { packageUrl } from '#engine/images/make-index.ts';
import { formatPlatform } from '#formats/oci-json.ts';
import { hexOf, type Platform } from '#formats/oci.ts';

import { attestFields, isTrue } from './attest-fields.ts';

/** `--provenance` (buildkit: docs/attestations/slsa-provenance.md). */
export interface ProvenanceOptions {
  /** `min` leaves away build arguments, labels and the Dockerfile, which may be nobody's business. */
  readonly mode: 'min' | 'max';
  /** Only with images that are pushed: nobody asked for it, it is what clients ask for by themselves. */
  readonly inlineOnly: boolean;
  readonly builderId: string;
}

/** What is known of a build. */
export interface BuildFacts {
  readonly id: string;
  readonly startedMs: number;
  readonly finishedMs: number;
  readonly dockerfileName: string;
  readonly dockerfile: string;
  /** Where the context is when it is no folder of the client; '' else. */
  readonly contextUrl: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly platform: Platform;
  readonly bases: readonly BaseImage[];
}

const predicateType = 'https://slsa.dev/provenance/v0.2';
/** How the rest of the predicate is to be read: the parameters are those of BuildKit's front end for Dockerfiles. */
const buildType = 'https://mobyproject.org/buildkit@v1';
/** Attributes that are about the call, not about the build. */
const aboutTheCall = /^(attest:|local-sessionid:|cache-|frontend\.caps$|cmdline$|source$)/;
/** Attributes that only `max` tells. */
const details = /^(build-arg:|label:|vcs:|add-hosts$)/;
/** Arguments that may hold passwords of proxies. */
const proxies = /^build-arg:(https?|ftp|all)_proxy$/i;

/** Reads the value of `attest:provenance`; '' is none. Throws NotSupported, InvalidArgument. */
export function provenanceOptions(text: string): ProvenanceOptions | undefined {
  if (text === '') return undefined;
  const { type: _, mode: given = 'max', 'inline-only': inline, disabled, reproducible, ...more } = attestFields(text);
  const { 'builder-id': builderId = '', version = 'v0.2', ...others } = more;
  const [other] = Object.keys(others);
  if (other !== undefined || isTrue(reproducible))
    throw new StatusError('NotSupported', `Cannot tell the provenance with ${other ?? 'reproducible'}: leave it away`);
  if (version !== 'v0.2')
    throw new StatusError('NotSupported', `Cannot tell the provenance by SLSA ${version}: only v0.2 is supported`);
  const mode = given === 'true' || given === '' ? 'min' : given;
  if (mode !== 'min' && mode !== 'max')
    throw new StatusError('InvalidArgument', `invalid mode "${mode}" of the provenance: want min or max`);
  return isTrue(disabled) ? undefined : { mode, inlineOnly: isTrue(inline), builderId };
}

/** What is claimed of an image of that build. Nothing is claimed that is not known: its list of materials has the images. */
export function provenanceOf({ mode, builderId }: ProvenanceOptions, facts: BuildFacts): Attestation {
  const isMax = mode === 'max';
  const args = [...facts.attributes].filter(([name]) => !aboutTheCall.test(name) && !proxies.test(name));
  const predicate = {
    builder: { id: builderId },
    buildType,
    materials: facts.bases.map(({ reference, platform, digest }) => ({
      uri: packageUrl(reference, platform),
      ...(digest === undefined ? {} : { digest: { sha256: hexOf(digest) } }),
    })),
    invocation: {
      configSource: {
        ...(facts.contextUrl === '' ? {} : { uri: withoutPassword(facts.contextUrl) }),
        entryPoint: facts.dockerfileName,
      },
      parameters: {
        frontend: 'dockerfile.v0',
        args: Object.fromEntries(args.filter(([name]) => isMax || !details.test(name))),
        ...(facts.contextUrl === '' ? { locals: [{ name: 'context' }, { name: 'dockerfile' }] } : {}),
      },
      environment: { platform: formatPlatform(facts.platform) },
    },
    metadata: {
      buildInvocationID: facts.id,
      buildStartedOn: new Date(facts.startedMs).toISOString(),
      buildFinishedOn: new Date(facts.finishedMs).toISOString(),
      completeness: { parameters: isMax, environment: true, materials: false },
      reproducible: false,
      ...(isMax ? { [`${buildType}#metadata`]: sourceOf(facts) } : {}),
    },
  };
  return { predicateType, predicate: Buffer.from(JSON.stringify(predicate)) };
}

function sourceOf({ dockerfile, dockerfileName: filename }: BuildFacts): object {
  return {
    source: { infos: [{ filename, language: 'Dockerfile', data: Buffer.from(dockerfile).toString('base64') }] },
  };
}

function withoutPassword(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/@]*@/i, '$1');
}
