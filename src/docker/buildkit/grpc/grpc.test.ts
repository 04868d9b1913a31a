import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import { silentLogger } from '#base/logger.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import { message, one } from '#formats/protobuf/message.ts';
import { buildStatus } from '../build-status.ts';
import { GrpcChannel } from './grpc-channel.ts';
import { type GrpcMethods, serveGrpc, streaming, unary } from './serve-grpc.ts';

const text = message({ text: one(1, 'string') });
const both = { request: text, reply: text };
const never = new AbortController().signal;

/** The two sides of a connection; the serving one ends with `stop`. */
function connection(methods: GrpcMethods): { channel: GrpcChannel; served: Promise<void>; stop: () => void } {
  const [client, server] = duplexPair();
  const stopping = new AbortController();
  const service = { methods, statusOf: buildStatus, logger: silentLogger };
  const served = serveGrpc(server, service, stopping.signal);
  return { channel: new GrpcChannel(client), served, stop: () => stopping.abort() };
}

describe('gRPC over one connection', () => {
  test('a message there, one back, with headers', async () => {
    const { channel, served } = connection({
      '/echo': unary(text, text, ({ text }, call) => ({ text: `${text} ${call.header('te')}` })),
    });
    assert.deepEqual(await channel.call('/echo', both, { text: 'a'.repeat(200_000) }, never), {
      text: `${'a'.repeat(200_000)} trailers`,
    });
    channel.destroy();
    await served;
    await channel.closed();
    assert.throws(() => channel.open('/echo', {}, never), /went away/);
  });

  test('many messages back', async () => {
    const { channel, served } = connection({
      '/count': streaming(text, text, async ({ text: to }, send) => {
        for (let number = 1; number <= Number(to); number += 1) await send({ text: String(number) });
      }),
    });
    using stream = channel.open('/count', {}, never);
    await stream.send(encodeMessage(text, { text: '300' }));
    let sum = 0;
    for await (const bytes of stream.messages) sum += Number(decodeMessage(text, bytes).text);
    assert.equal(sum, (300 * 301) / 2);
    channel.destroy();
    await served;
  });

  test('errors keep their words, and say what the peer does not know', async () => {
    const { channel, served } = connection({
      '/fail': unary(text, text, () => {
        throw new StatusError('Conflict', 'das ist bönig: 100 %\nnext');
      }),
    });
    await assert.rejects(channel.call('/fail', both, {}, never), { message: 'das ist bönig: 100 %\nnext' });
    await assert.rejects(
      channel.call('/nothing', both, {}, never),
      (error) => error instanceof StatusError && error.reason === 'NotSupported' && /nothing/.test(error.message),
    );
    channel.destroy();
    await served;
  });

  test('a call that nobody waits for any more is told so', async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const { channel, served } = connection({
      '/hang': unary(text, text, async (_, _call, signal) => {
        signal.addEventListener('abort', () => ended.resolve());
        begun.resolve();
        await ended.promise;
        return {};
      }),
    });
    const controller = new AbortController();
    const call = channel.call('/hang', both, {}, controller.signal);
    await begun.promise;
    controller.abort(new Error('enough'));
    await assert.rejects(call, /enough/);
    await ended.promise;
    channel.destroy();
    await served;
  });

  test('a server that stops cuts its calls', async () => {
    const begun = Promise.withResolvers<void>();
    const { channel, served, stop } = connection({
      '/hang': unary(text, text, async (_, _call, signal) => {
        begun.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return {};
      }),
    });
    const call = channel.call('/hang', both, {}, never);
    await begun.promise;
    stop();
    await assert.rejects(call, (error) => error instanceof StatusError && error.reason === 'Unavailable');
    await served;
  });
});
