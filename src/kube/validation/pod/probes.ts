import type { Container, LifecycleHandler, Probe } from '../../types/gen/core-v1.ts';
import { forbidden, invalid, invalids, notSupported, required } from '../faults.ts';
import { headerNameFaults, portFaults, portNameFaults } from '../names.ts';
import { type Faults, negativeFaults } from '../object-meta.ts';

type Handler = Partial<LifecycleHandler & Probe>;

/** Probes and hooks of a container that runs all the time. */
export function* probeFaults(container: Container, graceSeconds: number | undefined, path: string): Faults {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  if (lifecycle?.postStart !== undefined)
    yield* handlerFaults(lifecycle.postStart, graceSeconds, `${path}.lifecycle.postStart`);
  if (lifecycle?.preStop !== undefined)
    yield* handlerFaults(lifecycle.preStop, graceSeconds, `${path}.lifecycle.preStop`);
  yield* oneProbeFaults(livenessProbe, graceSeconds, `${path}.livenessProbe`, true);
  yield* oneProbeFaults(readinessProbe, graceSeconds, `${path}.readinessProbe`, false);
  yield* oneProbeFaults(startupProbe, graceSeconds, `${path}.startupProbe`, true);
}

/** A number of a port, or the name of one. */
export function* portReferenceFaults(port: number | string | undefined, path: string): Faults {
  if (typeof port === 'string') yield* invalids(path, port, portNameFaults(port));
  else yield* invalids(path, port ?? 0, portFaults(port ?? 0));
}

function* oneProbeFaults(
  probe: Probe | undefined,
  graceSeconds: number | undefined,
  path: string,
  endsContainer: boolean,
): Faults {
  if (probe === undefined) return;
  yield* handlerFaults(probe, graceSeconds, path);
  for (const field of counts) yield* negativeFaults(`${path}.${field}`, probe[field]);
  const ownGrace = probe.terminationGracePeriodSeconds;
  if (ownGrace !== undefined && ownGrace <= 0)
    yield invalid(`${path}.terminationGracePeriodSeconds`, ownGrace, 'must be greater than 0');
  if (endsContainer && probe.successThreshold !== 1)
    yield invalid(`${path}.successThreshold`, probe.successThreshold ?? 0, 'must be 1');
  if (!endsContainer && ownGrace !== undefined)
    yield invalid(`${path}.terminationGracePeriodSeconds`, ownGrace, 'must not be set for readinessProbes');
}

const counts = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const satisfies (keyof Probe)[];

function* handlerFaults(handler: Handler, graceSeconds: number | undefined, path: string): Faults {
  let isKnown = false;
  for (const [kind, check] of Object.entries(handlers)) {
    if (handler[kind as keyof Handler] === undefined) continue;
    if (isKnown) yield forbidden(`${path}.${kind}`, 'may not specify more than 1 handler type');
    else yield* check(handler, `${path}.${kind}`, graceSeconds);
    isKnown = true;
  }
  if (!isKnown) yield required(path, 'must specify a handler type');
}

/** What an action must have, in the order they are looked at. */
const handlers: Readonly<Record<string, (handler: Handler, path: string, graceSeconds: number | undefined) => Faults>> =
  {
    *exec({ exec }, path) {
      if ((exec?.command ?? []).length === 0) yield required(`${path}.command`);
    },
    *httpGet({ httpGet: { path: target = '', port, scheme = '', httpHeaders = [] } = {} }, path) {
      if (target === '') yield required(`${path}.path`);
      yield* portReferenceFaults(port, `${path}.port`);
      if (scheme !== 'HTTP' && scheme !== 'HTTPS') yield notSupported(`${path}.scheme`, scheme, ['HTTP', 'HTTPS']);
      for (const { name = '' } of httpHeaders) yield* invalids(`${path}.httpHeaders`, name, headerNameFaults(name));
    },
    *tcpSocket({ tcpSocket }, path) {
      yield* portReferenceFaults(tcpSocket?.port, `${path}.port`);
    },
    *grpc({ grpc }, path) {
      yield* portReferenceFaults(grpc?.port, `${path}.port`);
    },
    *sleep({ sleep }, path, graceSeconds) {
      const seconds = sleep?.seconds ?? 0;
      if (graceSeconds !== undefined && (seconds < 0 || seconds > graceSeconds))
        yield invalid(
          path,
          seconds,
          `must be non-negative and less than terminationGracePeriodSeconds (${String(graceSeconds)})`,
        );
    },
  };
