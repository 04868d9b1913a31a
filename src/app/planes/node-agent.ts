import type { NodeAgent } from '#apiserver/handlers/node-agent.ts';
import { ChannelSocket } from '#agent/streams/channel-socket.ts';
import { openStream } from '#agent/streams/run-in-pod.ts';
import { openPodLog } from '#agent/streams/pod-log.ts';
import { isPortForward, openPortForward } from '#agent/streams/port-forward.ts';
import { nowMs } from '#base/clock.ts';
import type { Engine } from '#engine/engine.ts';
import { ApiError, badRequest } from '#kube/status.ts';

/** What only the machine of a pod can do, for the API server in the same process. */
export function nodeAgent(engine: Engine): NodeAgent {
  return {
    log: (pod, options) => openPodLog(engine, pod, options, nowMs()),
    takeOver: ({ kind, pod, query, headers }) => {
      if (!(kind === 'portforward' ? isPortForward({ headers }) : ChannelSocket.isFor({ headers })))
        throw badRequest('this stream is served over WebSockets only, as kubectl asks for them since 1.31');
      if (kind === 'portforward') {
        const carry = openPortForward(engine, pod);
        return async (upgrade, signal) => carry({ ...upgrade, headers }, signal);
      }
      const stream = openStream(engine, { kind, pod, query });
      return async (upgrade, signal) => stream.carry({ ...upgrade, headers }, signal);
    },
    proxy: async () => await Promise.reject(notYet('proxy')),
  };
}

function notYet(what: string): ApiError {
  return new ApiError(
    'NotImplemented',
    `Cannot open ${what}: this version of Slipway has no ${what}; reach the pod by its address`,
  );
}
