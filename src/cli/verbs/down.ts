import type { ContainersFate } from '#app/control-protocol.ts';
import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';
import { identify } from '#sys/process.ts';

import { ControlClient } from '../control-client.ts';
import { waitUntilGone } from '../daemon-process.ts';
import { setOption } from '../set-option.ts';
import type { Verb } from '../verb.ts';

const endsWithinMs = 60_000;

export const down: Verb = {
  usage: '[--keep | --purge [--set KEY=VALUE]...]',
  description:
    'Stops the containers, each with its own stop signal and grace time, and then the platform. Images, volumes and\n' +
    'stopped containers stay; the next `slipway up` starts those again whose restart policy says so.',
  options: {
    keep: { type: 'boolean', summary: 'leave the containers running; the next slipway up takes them over' },
    purge: { type: 'boolean', summary: 'then delete all containers, networks, volumes, images and logs of this root' },
    ...setOption,
  },
  operandsMost: 0,
  needsRoot: true,
  run: async ({ paths, env, flag, texts, output, signal }) => {
    const [keep, purge] = [flag('keep'), flag('purge')];
    if (keep && purge) {
      throw new StatusError('InvalidArgument', 'Cannot keep and purge at once: choose one of --keep and --purge');
    }
    const settings = texts('set');
    if (settings.length > 0 && !purge)
      throw new StatusError('InvalidArgument', 'Cannot use --set without --purge: only that reads the configuration');
    const client = new ControlClient(paths.controlSocket);
    const report = await client.status(signal);
    const daemon = report === undefined ? undefined : identify(report.pid);
    if (daemon !== undefined) {
      await askToStop(client, keep || purge ? 'keep' : 'stop', signal);
      await waitUntilGone(daemon, endsWithinMs, signal);
    }
    if (purge) {
      const { purgeInstance } = await import('#app/purge.ts');
      await purgeInstance({ paths, env, settings }, signal);
    }
    output.line(sentence(report !== undefined, report?.containers.running ?? 0, keep, purge));
    return 0;
  },
};

async function askToStop(client: ControlClient, fate: ContainersFate, signal: AbortSignal): Promise<void> {
  try {
    const response = await client.send('POST', `/stop?containers=${fate}`, undefined, signal);
    response.resume();
  } catch (error) {
    // It may be gone before its answer is.
    if (!hasCode(error, 'ECONNRESET', 'ECONNREFUSED', 'ENOENT')) throw error;
  }
}

function sentence(ran: boolean, running: number, keep: boolean, purge: boolean): string {
  const state = ran ? 'slipway is down' : 'slipway did not run';
  if (purge) return `${state}; its data is deleted`;
  if (!ran) return state;
  const count = `${String(running)} container${running === 1 ? '' : 's'}`;
  return keep ? `${state}; ${count} kept running` : `${state}; ${count} stopped`;
}
