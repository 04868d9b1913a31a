import { createInterface } from 'node:readline';

import type { SetLine, SetRequest } from '#app/control-protocol.ts';
import { StatusError } from '#base/errors.ts';

import { ControlClient, failure } from '../control-client.ts';
import type { Options, Verb } from '../verb.ts';

const readySecondsDefault = 60;
const drainSecondsDefault = 30;

const list = (value: string, summary: string): Options[string] => ({ type: 'string', multiple: true, value, summary });
const one = (value: string, summary: string): Options[string] => ({ type: 'string', value, summary });

export const containerSet: Verb = {
  usage: 'NAME [OPTION]...',
  description:
    'Changes a container that exists. Ports, limits and the restart policy change while it runs. For variables and\n' +
    'mounts it ends and starts again, with the same ID, name, addresses, volumes and files; when it does not start so,\n' +
    'it runs as before. With --start-first a second one starts beside it and takes its name and ports when it is ready\n' +
    '(health check, or published ports open), so that no request is lost; it has a new ID and what the image has, and\n' +
    'the old one is removed. So it is with --image, where the old one ends first unless --start-first is said.',
  options: {
    'publish-add': list('PORT', 'publish a port, as docker run -p takes it'),
    'publish-rm': list('PORT', 'publish a port no more: 80, 80/udp or 8080:80'),
    'env-add': list('NAME=VALUE', 'set a variable'),
    'env-rm': list('NAME', 'take a variable away'),
    'mount-add': list('MOUNT', 'add or replace a mount, as docker run --mount or -v takes it'),
    'mount-rm': list('PATH', 'take away what is mounted at a path'),
    image: one('IMAGE', 'use another image'),
    restart: one('POLICY', 'no, always, unless-stopped or on-failure[:COUNT]'),
    memory: one('BYTES', 'limit of memory, such as 512m'),
    'memory-swap': one('BYTES', 'limit of memory and swap; -1: no limit of swap'),
    cpus: one('NUMBER', 'limit of CPUs, such as 1.5'),
    'pids-limit': one('NUMBER', 'limit of processes'),
    'start-first': { type: 'boolean', summary: 'replace it by a new one that is ready before the old one ends' },
    'ready-timeout': one('SECONDS', `how long the new one may take to be ready, ${String(readySecondsDefault)}`),
    'drain-timeout': one('SECONDS', `how long connections to the old one may go on, ${String(drainSecondsDefault)}`),
  },
  operandsMost: 1,
  needsRoot: true,
  run: async ({ paths, operands, text, texts, flag, output, signal }) => {
    const [name = ''] = operands;
    if (name === '') throw new StatusError('InvalidArgument', 'Cannot set: write slipway container set NAME OPTION...');
    const request: SetRequest = {
      name,
      publishAdd: texts('publish-add'),
      publishRemove: texts('publish-rm'),
      envAdd: texts('env-add'),
      envRemove: texts('env-rm'),
      mountAdd: texts('mount-add'),
      mountRemove: texts('mount-rm'),
      image: text('image') ?? '',
      restart: text('restart') ?? '',
      memory: text('memory') ?? '',
      memorySwap: text('memory-swap') ?? '',
      cpus: text('cpus') ?? '',
      pidsLimit: text('pids-limit') ?? '',
      startFirst: flag('start-first'),
      readySeconds: Number(text('ready-timeout') ?? readySecondsDefault),
      drainSeconds: Number(text('drain-timeout') ?? drainSecondsDefault),
    };
    const response = await new ControlClient(paths.controlSocket).send('POST', '/containers/set', request, signal);
    for await (const text of createInterface({ input: response })) {
      const line = JSON.parse(text) as SetLine;
      if (line.kind === 'error') throw failure(line.reason, line.message);
      if (line.kind === 'progress') output.note(line.text);
      else {
        output.line(`${line.name}  ${line.id.slice(0, 12)}`);
        return 0;
      }
    }
    throw new StatusError('Unavailable', 'Cannot say how it ended: the daemon ended meanwhile; see slipway status');
  },
};
