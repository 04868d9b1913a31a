import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { Digest } from '#formats/oci.ts';

import type { Attestation } from '../images/images.ts';
import type { BuildJob } from './build-job.ts';
import type { Scanner, StepMount } from './builder.ts';
import { hostPlatform } from './platform.ts';
import { stateOfImage } from './stage-state.ts';

/** What a scanner looks at: layers by name, the result's own first, and a folder of this machine for the context. */
export interface ScanTargets {
  readonly core: Digest | undefined;
  readonly stages: ReadonlyMap<string, Digest | undefined>;
  /** undefined: the context is not looked at. */
  readonly context: string | undefined;
}

type ScanJob = Pick<BuildJob, 'request' | 'folder' | 'images' | 'steps' | 'runner'>;

/** Places and names of BuildKit's protocol (docs/attestations/sbom-protocol.md; frontend/attestations/sbom/sbom.go). */
const sources = '/run/src';
const destination = '/run/out';
const coreName = 'sbom';
/** A list of packages has some megabytes; a scanner writes one for each target. */
const maxDocumentBytes = 64 * 1024 * 1024;
const maxDocuments = 64;

/** Runs a scanner over what was built; returns what it claims. Throws InvalidArgument for one that fails or writes nonsense. */
export async function scanFiles(
  job: ScanJob,
  targets: ScanTargets,
  { generator, parameters }: Scanner,
  onOutput: (bytes: Uint8Array) => void,
  signal: AbortSignal,
): Promise<readonly Attestation[]> {
  const image = await scannerImage(job, generator, signal);
  const { defaults } = stateOfImage(image);
  const args = [...(defaults.Entrypoint ?? []), ...(defaults.Cmd ?? [])];
  if (args.length === 0) throw new StatusError('InvalidArgument', `scanner ${generator} does not have cmd`);
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(job.folder, 'scan-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const out = join(folder, 'out');
  await mkdir(out, { mode: 0o755 });
  const mounts = await openTargets(job, targets, stack);
  const hasExtras = mounts.length > 1;
  const scanned = {
    BUILDKIT_SCAN_DESTINATION: `${destination}/`,
    BUILDKIT_SCAN_SOURCE: `${sources}/core/${coreName}`,
    ...(hasExtras && { BUILDKIT_SCAN_SOURCE_EXTRAS: `${sources}/extras` }),
    ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`BUILDKIT_SCAN_${name}`, value])),
  };
  const { id } = stack.use(await job.steps.openSnapshot(image.topLayer));
  const exitCode = await job.runner.run(
    {
      snapshotId: id,
      args,
      env: [...(defaults.Env ?? []), ...Object.entries(scanned).map(([name, value]) => `${name}=${value}`)],
      cwd: defaults.WorkingDir ?? '/',
      user: '',
      defaults,
      networkMode: 'default',
      extraHosts: [],
      privileged: false,
      hostname: '',
      shmSizeBytes: 0,
      limits: job.request.limits ?? {},
      mounts: [
        ...mounts,
        { type: 'bind', source: out, target: destination, readOnly: false },
        { type: 'tmpfs', source: '', target: '/tmp', readOnly: false },
      ],
      secretEnv: [],
      secretFiles: [],
    },
    onOutput,
    signal,
  );
  signal.throwIfAborted();
  if (exitCode !== 0)
    throw new StatusError(
      'InvalidArgument',
      `scanner ${generator} did not complete successfully: exit code: ${String(exitCode)}`,
    );
  return readStatements(out, generator);
}

async function scannerImage(
  { images }: ScanJob,
  generator: string,
  signal: AbortSignal,
): ReturnType<typeof images.get> {
  try {
    return await images.get(generator, hostPlatform(), () => {}, signal);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new StatusError(
      error.reason,
      `Cannot list the packages of the image by the scanner ${generator}: ${error.message}; pull it here, or name one by --attest type=sbom,generator=IMAGE`,
      { cause: error },
    );
  }
}

async function openTargets(
  { steps }: ScanJob,
  { core, stages, context }: ScanTargets,
  stack: AsyncDisposableStack,
): Promise<readonly StepMount[]> {
  const mounts: StepMount[] = [];
  const add = async (layer: Digest | undefined, target: string): Promise<void> => {
    const { id, root: source } = stack.use(await steps.openSnapshot(layer));
    mounts.push({ type: 'bind', source, snapshotId: id, target, readOnly: true });
  };
  await add(core, `${sources}/core/${coreName}`);
  for (const [name, layer] of stages) await add(layer, `${sources}/extras/${coreName}-${name}`);
  if (context !== undefined)
    mounts.push({ type: 'bind', source: context, target: `${sources}/extras/${coreName}-context`, readOnly: true });
  return mounts;
}

/** What a scanner wrote, the list of the result itself first. Nothing is trusted: it may be links, or without end. */
function readStatements(out: string, generator: string): readonly Attestation[] {
  const isCore = (name: string): boolean => name.split('.')[0] === coreName;
  const names = readdirSync(out).toSorted((one, other) => Number(isCore(other)) - Number(isCore(one)));
  if (names.length > maxDocuments)
    throw new StatusError('TooLarge', `scanner ${generator} wrote more than ${String(maxDocuments)} files`);
  return names.map((name) => {
    const statement = parsed(readPlain(join(out, name), name));
    if (!isObject(statement) || typeof statement['predicateType'] !== 'string' || !isObject(statement['predicate']))
      throw new StatusError('InvalidArgument', `scanner ${generator} wrote "${name}", which is no in-toto statement`);
    const { predicateType, predicate } = statement;
    if (predicateType.startsWith('https://slsa.dev/provenance/'))
      throw new StatusError('InvalidArgument', `scanner ${generator} may not claim a provenance`);
    return { predicateType, predicate: Buffer.from(JSON.stringify(predicate)) };
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readPlain(path: string, name: string): string {
  const refusal = new StatusError(
    'InvalidArgument',
    `"${name}" of the scanner is no file of at most ${String(maxDocumentBytes)} bytes`,
  );
  if (!lstatSync(path).isFile()) throw refusal;
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (fstatSync(fd).size > maxDocumentBytes) throw refusal;
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
