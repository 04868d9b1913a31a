import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import {
  isContainersFate,
  type BootstrapLine,
  type BootstrapRequest,
  type ContainersFate,
} from '../control-protocol.ts';
import type { CollectionReport, ExposureReport, RegistryGarbageReport, StatusReport } from '../control-protocol.ts';
import { messageOf, reasonOf, reasons, StatusError } from '#base/errors.ts';
import { listenPrivately } from '#base/sockets.ts';
import type { RegistryStatus } from '#registry/serve-registry.ts';
import { isObject } from '#base/json.ts';
import type { Engine } from '#engine/engine.ts';

import type { PausedContainers } from '../paused-containers.ts';
import type { Plane } from '../plane.ts';

/** What the control socket asks of the rest of the daemon. */
export interface ControlNeeds {
  report(): StatusReport;
  exposure(): ExposureReport;
  /** Stops the containers, when that is their fate, and then the daemon, which answers first. */
  stop(fate: ContainersFate, signal: AbortSignal): Promise<void>;
  bootstrapImage(
    request: BootstrapRequest,
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<BootstrapLine>;
  /** Throws Unavailable while it is starting. */
  engine(): Engine;
  readonly paused: PausedContainers;
  collect(options: { readonly dryRun: boolean }, signal: AbortSignal): Promise<CollectionReport>;
  reportRegistry(): Promise<RegistryStatus>;
  collectRegistryGarbage(untagged: boolean, signal: AbortSignal): Promise<RegistryGarbageReport>;
}

const bodyBytesMost = 64 * 1024;

/** The socket by which the CLI talks to its daemon; only root can open it. */
export const controlPlane: Plane<undefined, ControlNeeds, undefined> = {
  name: 'control',
  start: async (_config, needs, { paths, logger }) => {
    const server = createServer((request, response) => {
      answer(request, response, needs).catch((error: unknown) => {
        if (reasonOf(error) === 'Internal') logger.error('control request failed', { url: request.url, error });
        refuse(response, error);
      });
    });
    // The daemon holds the lock of its root, so a socket that is there is a dead one's.
    rmSync(paths.controlSocket, { force: true });
    await listenPrivately(server, paths.controlSocket);
    const closed = Promise.withResolvers<void>();
    server.once('error', closed.reject);
    return {
      gives: undefined,
      done: closed.promise,
      health: () => ({ state: 'healthy', message: `unix://${paths.controlSocket}` }),
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        closed.resolve();
      },
    };
  },
};

async function answer(request: IncomingMessage, response: ServerResponse, needs: ControlNeeds): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://slipway');
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the client has left')));
  switch (`${request.method ?? ''} ${pathname}`) {
    case 'GET /status':
      return reply(response, 200, needs.report());
    case 'GET /exposed':
      return reply(response, 200, needs.exposure());
    case 'POST /stop': {
      const fate = searchParams.get('containers');
      if (!isContainersFate(fate)) throw new StatusError('InvalidArgument', 'containers is neither "stop" nor "keep"');
      await needs.stop(fate, gone.signal);
      return reply(response, 200, {});
    }
    case 'GET /registry':
      return reply(response, 200, await needs.reportRegistry());
    case 'POST /registry/gc':
      return reply(
        response,
        200,
        await needs.collectRegistryGarbage(searchParams.get('untagged') === 'true', gone.signal),
      );
    case 'POST /images/bootstrap':
      return answerInLines(
        response,
        await readBootstrapRequest(request),
        (...args) => needs.bootstrapImage(...args),
        gone.signal,
      );
    case 'POST /images/verify': {
      const { verifyImages } = await import('./verify-images.ts');
      const verify = verifyImages.bind(undefined, needs.engine());
      return answerInLines(response, searchParams.getAll('name'), verify, gone.signal);
    }
    case 'POST /containers/set': {
      const { readSetRequest, setContainer } = await import('./control-containers.ts');
      const set = setContainer.bind(undefined, needs.engine());
      return answerInLines(response, readSetRequest(await readBody(request)), set, gone.signal);
    }
    case 'POST /gc': {
      const dryRun = searchParams.get('dry-run') === '1';
      return reply(response, 200, await needs.collect({ dryRun }, gone.signal));
    }
    case 'GET /volumes/backup': {
      const { backupVolume } = await import('./control-volumes.ts');
      const { paused } = needs;
      return backupVolume({ engine: needs.engine(), paused }, searchParams, response, gone.signal);
    }
    case 'POST /volumes/restore': {
      const { restoreVolume } = await import('./control-volumes.ts');
      return reply(response, 200, await restoreVolume(needs.engine(), searchParams, request, gone.signal));
    }
    case 'POST /volumes/resize': {
      const { resizeVolume } = await import('./control-volumes.ts');
      return reply(response, 200, await resizeVolume(needs.engine(), searchParams));
    }
    default:
      throw new StatusError(
        'NotFound',
        `Cannot ${request.method ?? ''} "${pathname}": the control socket has no such path`,
      );
  }
}

/** Answers at once and then line by line, so that the client sees progress and can leave, which stops the work. */
async function answerInLines<Request>(
  response: ServerResponse,
  request: Request,
  work: (request: Request, onProgress: (text: string) => void, signal: AbortSignal) => Promise<object>,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const send = (line: object): boolean => response.write(`${JSON.stringify(line)}\n`);
  try {
    send(await work(request, (text) => send({ kind: 'progress', text }), signal));
  } catch (error) {
    send({ kind: 'error', reason: reasonOf(error), message: messageOf(error) });
  }
  response.end();
}

async function readBootstrapRequest(request: IncomingMessage): Promise<BootstrapRequest> {
  const body = await readBody(request);
  if (!isObject(body) || typeof body['suite'] !== 'string' || typeof body['tag'] !== 'string')
    throw new StatusError('InvalidArgument', 'want {"suite": text, "tag": text}');
  return { suite: body['suite'], tag: body['tag'] };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > bodyBytesMost) throw new StatusError('TooLarge', 'the request has more than 64 KiB');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    throw new StatusError('InvalidArgument', 'the request is not JSON', { cause: error });
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const reason = reasonOf(error);
  reply(response, reasons[reason].httpStatus, { reason, message: messageOf(error) });
}
