import { reasonOf } from '#base/errors.ts';
import { keyOf } from '#kube/client/client.ts';
import type { Container, Pod } from '#kube/types/gen/core-v1.ts';

import { containerSpecOf, engineName } from '../container-spec.ts';
import { resolveEnvironment } from '../environment/resolve-environment.ts';
import { latestOf } from '../lifecycle/pod-now.ts';
import type { Step } from '../lifecycle/plan-pod.ts';
import type { ProbeTarget } from '../probes/prober.ts';
import { sysctlsOf } from '../security/sysctls.ts';
import { containerImage } from './container-image.ts';
import { checkSupported, ContainerFault } from './pod-fault.ts';
import { addressOf, containerNamed, factsOf, fieldOf, pods, type PodTools } from './pod-tools.ts';
import { readPod } from './read-pod.ts';
import { runPostStart, runPreStop } from './run-hooks.ts';
import { sandboxRequest } from './sandbox-request.ts';

const defaultGraceSeconds = 30;

/** Carries one step of a pod's plan out. Throws ContainerFault when a container cannot be started. */
export async function carryOut(step: Step, pod: Pod, tools: PodTools, signal: AbortSignal): Promise<void> {
  const { engine, volumes, client } = tools;
  const { uid = '' } = pod.metadata;
  switch (step.step) {
    case 'open':
      return open(pod, tools, signal);
    case 'start':
      return start(pod, step.container, step.attempt, tools, signal);
    case 'stop':
      return stop(pod, step, tools, signal);
    case 'remove':
      tools.messages.forgetRun(uid, step.run);
      return ignoring('NotFound', engine.containers.remove(step.run.id, { force: true, volumes: true }, signal));
    case 'close': {
      const { sandbox } = readPod(uid, engine);
      if (sandbox !== undefined) await engine.sandboxes.close(sandbox.id);
      return volumes.close(uid);
    }
    case 'forget': {
      tools.messages.forget(uid);
      tools.starts.forget(uid);
      const options = { gracePeriodSeconds: 0, preconditions: { uid } };
      return ignoring('NotFound', client.delete(pods, keyOf(pod), options, signal));
    }
  }
}

async function stop(
  pod: Pod,
  { run, graceSeconds, why }: Extract<Step, { step: 'stop' }>,
  tools: PodTools,
  signal: AbortSignal,
): Promise<void> {
  const { engine, record } = tools;
  record(pod, 'Normal', 'Killing', why ?? `Stopping container ${run.name}`, fieldOf(pod, run.name));
  const container = containerNamed(pod, run.name);
  const left =
    container === undefined
      ? graceSeconds
      : await runPreStop(pod, targetOf(pod, container, run.id, tools), graceSeconds, tools, signal);
  await engine.containers.stop(run.id, { timeoutSeconds: left }, signal);
}

function targetOf(pod: Pod, container: Container, containerId: string, tools: PodTools): ProbeTarget {
  const { sandbox } = readPod(pod.metadata.uid ?? '', tools.engine);
  return { container, containerId, address: addressOf(pod, tools, sandbox?.ips ?? []) };
}

async function open(pod: Pod, tools: PodTools, signal: AbortSignal): Promise<void> {
  const { volumes, engine, record, node } = tools;
  try {
    await volumes.open(pod, factsOf(tools, []), signal);
  } catch (error) {
    signal.throwIfAborted();
    const fault = new ContainerFault('ContainerCreating', error);
    record(pod, 'Warning', 'FailedMount', fault.message);
    throw fault;
  }
  const allowed = sysctlsOf(pod);
  try {
    await engine.sandboxes.open(sandboxRequest(pod, 'sysctls' in allowed ? allowed.sysctls : {}, node), signal);
  } catch (error) {
    signal.throwIfAborted();
    const fault = new ContainerFault('ContainerCreating', error);
    record(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${fault.message}`);
    throw fault;
  }
}

async function start(
  pod: Pod,
  container: Container,
  attempt: number,
  tools: PodTools,
  signal: AbortSignal,
): Promise<void> {
  const { engine, record } = tools;
  const { name = '' } = container;
  const field = fieldOf(pod, name);
  const image = await containerImage(pod, container, tools, signal);
  const spec = await faulty('CreateContainerConfigError', pod, field, tools, async () =>
    specFor(pod, container, image, attempt, tools, signal),
  );
  const created = await faulty('CreateContainerError', pod, field, tools, async () =>
    engine.containers.create(engineName(pod, name, attempt), spec, signal),
  );
  record(pod, 'Normal', 'Created', `Created container: ${name}`, field);
  await faulty('RunContainerError', pod, field, tools, async () => engine.containers.start(created.id, signal));
  record(pod, 'Normal', 'Started', `Started container ${name}`, field);
  try {
    await runPostStart(pod, targetOf(pod, container, created.id, tools), tools, signal);
  } catch {
    signal.throwIfAborted();
    const why = 'FailedPostStartHook';
    const run = readPod(pod.metadata.uid ?? '', engine).runs.find(({ id }) => id === created.id);
    const graceSeconds = pod.spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds;
    if (run?.state === 'running') await stop(pod, { step: 'stop', run, graceSeconds, why }, tools, signal);
  }
}

async function specFor(
  pod: Pod,
  container: Container,
  image: Awaited<ReturnType<typeof containerImage>>,
  attempt: number,
  tools: PodTools,
  signal: AbortSignal,
): Promise<ReturnType<typeof containerSpecOf>> {
  const { engine, volumes, sources, node } = tools;
  checkSupported(pod);
  const { sandbox } = readPod(pod.metadata.uid ?? '', engine);
  if (sandbox === undefined) throw new Error('invariant broken: containers start in a sandbox');
  const facts = factsOf(tools, pod.spec?.hostNetwork === true ? node.hostIPs : sandbox.ips);
  const opened = await volumes.open(pod, facts, signal);
  const environment = await resolveEnvironment(pod, container, facts, sources, signal);
  const mounts = [
    ...volumes.mounts(pod, container, opened, environment),
    ...tools.messages.mount(pod.metadata.uid ?? '', container, attempt),
  ];
  const target = pod.spec?.ephemeralContainers?.find(({ name }) => name === container.name)?.targetContainerName ?? '';
  const seen = target === '' ? undefined : latestOf(readPod(pod.metadata.uid ?? '', engine), target);
  return containerSpecOf({
    pod,
    container,
    image,
    sandboxId: sandbox.id,
    environment,
    mounts,
    attempt,
    cgroupParent: '',
    memoryBytes: node.memoryBytes,
    readProfile: node.readProfile,
    ...(seen !== undefined && { processesOf: seen.id }),
  });
}

async function faulty<T>(
  reason: string,
  pod: Pod,
  field: string,
  { record }: PodTools,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const fault = new ContainerFault(reason, error);
    record(pod, 'Warning', 'Failed', `Error: ${fault.message}`, field);
    throw fault;
  }
}

async function ignoring(reason: string, work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (reasonOf(error) !== reason) throw error;
  });
}
