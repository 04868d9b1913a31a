import { StatusError } from '#base/errors.ts';
import type { Containers } from '#engine/runtime/containers.ts';
import type { Container, LifecycleHandler, Probe } from '#kube/types/gen/core-v1.ts';

import { askGrpc } from './ask-grpc.ts';
import { askHttp } from './ask-http.ts';
import { askTcp } from './ask-tcp.ts';
import type { ProbeResult } from './probe-result.ts';
import { runCommand } from './run-command.ts';

export type Action = Pick<Probe & LifecycleHandler, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'>;

export interface ProbeTarget {
  readonly container: Container;
  /** The engine's ID. */
  readonly containerId: string;
  /** Of the pod. */
  readonly address: string;
}

/** Asks a container once how it is. */
export type Prober = (
  action: Action,
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<ProbeResult>;

/** A prober of the engine's containers. Throws InvalidArgument for a port that is not there. */
export function createProber(containers: Pick<Containers, 'createExec' | 'startExec' | 'exec'>): Prober {
  return async ({ exec, httpGet, tcpSocket, grpc }, { container, containerId, address }, timeoutMs, signal) => {
    if (exec !== undefined) return runCommand(containers, containerId, exec.command ?? [], timeoutMs, signal);
    if (httpGet !== undefined) {
      const { scheme = 'HTTP', path = '/', httpHeaders = [] } = httpGet;
      const host = httpGet.host ?? address;
      const authority = host.includes(':') ? `[${host}]` : host;
      const origin = `${scheme.toLowerCase()}://${authority}:${String(portOf(httpGet.port, container))}`;
      const url = new URL(path.startsWith('/') ? path : `/${path}`, origin);
      return askHttp({ url, headers: httpHeaders }, timeoutMs, signal);
    }
    if (tcpSocket !== undefined)
      return askTcp(tcpSocket.host ?? address, portOf(tcpSocket.port, container), timeoutMs, signal);
    if (grpc !== undefined) return askGrpc(address, grpc.port ?? 0, grpc.service ?? '', timeoutMs, signal);
    return { ok: true, message: '' };
  };
}

/** A port by number, or by the name that the container gives it. */
function portOf(port: number | string | undefined, container: Container): number {
  if (typeof port === 'number') return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort ?? Number(port);
  if (Number.isInteger(named)) return named;
  throw new StatusError('InvalidArgument', `couldn't find port: ${port ?? ''}`);
}
