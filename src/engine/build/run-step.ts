import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { RunInstruction } from '#formats/dockerfile/dockerfile.ts';
import { heredocOf } from '#formats/dockerfile/heredoc.ts';
import type { Platform } from '#formats/oci.ts';
import { type BuildJob, isUncached, type StageScope } from './build-job.ts';
import type { StepMount, StepRun } from './builder.ts';
import { MountStubs } from './files/mount-stubs.ts';
import type { StepOutcome, StepSnapshot } from './layer-steps.ts';
import { type Expander, shellOf } from './metadata.ts';
import { hostPlatform } from './platform.ts';
import { openMounts, type PlannedMount, planMounts } from './run-mounts.ts';
import { openSessionMounts, planSessionMounts, type SessionMount } from './session-mounts.ts';
import type { StageState } from './stage-state.ts';
import { StepError } from './step-error.ts';
import { stepKey } from './step-key.ts';
import { givenArg, proxyEnvironment, runEnvironment, visibleVariables } from './variables.ts';

/** BuildKit's, which some configure scripts know. */
const defaultHostname = 'buildkitsandbox';
/** Docker's default for /dev/shm. */
const defaultShmBytes = 64 * 1024 * 1024;
/** Where an inline script with a `#!` line is seen (BuildKit's front end). */
const scriptFolder = '/dev/pipes';

interface Command {
  readonly args: readonly string[];
  /** An inline script that `args` run. */
  readonly script?: { readonly name: string; readonly text: string };
}

/** Carries out RUN. Throws StepError when the command ends with another code than 0. */
export async function runStep(
  scope: StageScope,
  state: StageState,
  instruction: RunInstruction,
  expand: Expander,
  signal: AbortSignal,
): Promise<{ readonly outcome: StepOutcome; readonly createdBy: string }> {
  const { job } = scope;
  const networkMode = networkOf(job, instruction);
  const command = commandOf(state, instruction);
  const env = runEnvironment(state.args, state.defaults.Env ?? []);
  const cwd = state.defaults.WorkingDir ?? '/';
  const words = { cwd, expand: (text: string) => expand.word(text) };
  const mounts = await planMounts(scope, instruction, words, signal);
  const lent = planSessionMounts(instruction, words);
  const { User: user = '' } = state.defaults;
  const hostname = givenArg(job.request.buildArgs, 'BUILDKIT_SANDBOX_HOSTNAME') ?? defaultHostname;
  const key = stepKey('run', [
    [state.layer ?? null, state.platform.architecture, command.args, command.script?.text ?? null],
    [env, cwd, user, networkMode, hostname, instruction.security, [...mounts, ...lent].map((mount) => mount.key)],
  ]);
  const description = historyOf(state, command.args);
  const run = async (snapshot: StepSnapshot, signal: AbortSignal): Promise<boolean> => {
    requireArchitecture(job, state.platform);
    const step = { ...limitsOf(job), snapshotId: snapshot.id, args: command.args, cwd, user, networkMode };
    const privileged = instruction.security === 'insecure';
    const full = {
      ...step,
      privileged,
      hostname,
      defaults: state.defaults,
      env: [...env, ...proxyEnvironment(job.request.buildArgs)],
    };
    const exitCode = await execute(scope, snapshot, { step: full, mounts, lent, command }, signal);
    signal.throwIfAborted();
    if (exitCode !== 0) throw new StepError(job.dockerfile.source, instruction.at, command.args, exitCode);
    return true;
  };
  const outcome = await job.steps.carryOut(
    { parent: state.layer, key, noCache: isUncached(scope), description, run },
    signal,
  );
  return { outcome, createdBy: description };
}

function requireArchitecture({ runner }: BuildJob, platform: Platform): void {
  if (runner.canRun(platform.architecture)) return;
  const [wanted, here] = [platform, hostPlatform()].map(({ os, architecture }) => `${os}/${architecture}`);
  throw new StatusError(
    'NotSupported',
    `Cannot run a command for ${String(wanted)} on this machine, which is ${String(here)}: no emulator is registered; ` +
      'install one by "apt-get install qemu-user-static" (qemu-user-binfmt since Debian 13)',
  );
}

async function execute(
  scope: StageScope,
  snapshot: StepSnapshot,
  {
    step,
    mounts,
    lent,
    command,
  }: {
    readonly step: Omit<StepRun, 'mounts' | 'secretEnv' | 'secretFiles'>;
    readonly mounts: readonly PlannedMount[];
    readonly lent: readonly SessionMount[];
    readonly command: Command;
  },
  signal: AbortSignal,
): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const opened = await openMounts(scope, mounts, stack, signal);
  const script = command.script === undefined ? [] : [await openScript(scope.job, command.script, stack)];
  const { mounts: sockets, secretFiles, secretEnv } = await openSessionMounts(scope.job, lent, stack, signal);
  const all = [...opened, ...sockets, ...script];
  const stubs = new MountStubs(
    snapshot.root,
    [...all, ...secretFiles].map(({ target }) => target),
  );
  const onOutput = (bytes: Uint8Array): void => scope.emit({ kind: 'output', bytes });
  const exitCode = await scope.job.runner.run({ ...step, mounts: all, secretFiles, secretEnv }, onOutput, signal);
  stubs.remove();
  return exitCode;
}

function networkOf({ request }: BuildJob, { network, security, devices }: RunInstruction): string {
  if (devices.length > 0)
    throw new StatusError('NotSupported', 'Cannot run with --device: devices in build steps are not supported');
  const allowed = request.entitlements ?? [];
  if (security === 'insecure' && !allowed.includes('security.insecure'))
    throw new StatusError(
      'Forbidden',
      'security.insecure is not allowed: RUN --security=insecure needs this entitlement',
    );
  if (network === 'default') return request.networkMode;
  if (network === 'host' && request.networkMode !== 'host' && !allowed.includes('network.host'))
    throw new StatusError('Forbidden', 'network.host is not allowed: build with --network=host to let RUN use it');
  return network;
}

/** What a RUN really starts; here-documents are the script itself, or left to the shell. */
function commandOf(state: StageState, { command, heredocs }: RunInstruction): Command {
  if (command.form === 'exec') return { args: command.args };
  const [line = ''] = command.args;
  const [first] = heredocs;
  const shell = shellOf(state);
  if (first === undefined) return { args: [...shell, line] };
  if (heredocOf(line) === undefined) {
    const bodies = heredocs.map(({ name, content }) => `\n${content}${name}`);
    return { args: [...shell, line + bodies.join('')] };
  }
  if (!first.content.startsWith('#!')) return { args: [...shell, first.content] };
  const name = /^[\w.-]+$/.test(first.name) ? first.name : 'script';
  return { args: [`${scriptFolder}/${name}`], script: { name, text: first.content } };
}

async function openScript(
  job: BuildJob,
  { name, text }: { readonly name: string; readonly text: string },
  stack: AsyncDisposableStack,
): Promise<StepMount> {
  const folder = await mkdtemp(join(job.folder, 'script-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  // Whatever the umask: RUN may run as any user.
  await writeFile(join(folder, name), text);
  for (const path of [folder, join(folder, name)]) await chmod(path, 0o755);
  return { type: 'bind', source: folder, target: scriptFolder, readOnly: true };
}

function limitsOf({ request }: BuildJob): Pick<StepRun, 'shmSizeBytes' | 'limits' | 'ulimits' | 'extraHosts'> {
  const { shmSizeBytes = 0, limits = {}, ulimits, extraHosts } = request;
  return {
    extraHosts,
    shmSizeBytes: shmSizeBytes > 0 ? shmSizeBytes : defaultShmBytes,
    limits,
    ...(ulimits === undefined ? {} : { ulimits }),
  };
}

/** BuildKit's form: declared arguments as `|1 NAME=value` before the command. */
function historyOf(state: StageState, args: readonly string[]): string {
  const visible = visibleVariables(state.args, state.defaults.Env ?? []);
  const declared = [...state.args.keys()].map((name) => `${name}=${visible.get(name) ?? ''}`);
  const prefix = declared.length === 0 ? [] : [`|${String(declared.length)}`, ...declared];
  return `RUN ${[...prefix, ...args].join(' ')} # buildkit`;
}
