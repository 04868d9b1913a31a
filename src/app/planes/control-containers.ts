import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { changedSpec } from '#docker/containers/changed-spec.ts';
import { containerChange } from '#docker/containers/update-container.ts';
import type { Engine } from '#engine/engine.ts';
import { parseByteSize } from '#formats/byte-size.ts';

import { listChanges, type SetLine, type SetRequest, textChanges } from '../control-protocol.ts';

const maximumSeconds = 86_400;

/** `POST /containers/set`: changes a container, and says what it does. */
export async function setContainer(
  engine: Engine,
  request: SetRequest,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<SetLine> {
  const { containers } = engine;
  const before = containers.get(request.name);
  const { limits, restart } = containerChange(before.spec, resourcesOf(request));
  const after = await containers.change(
    before.id,
    changedSpec(engine, before, request),
    {
      startFirst: request.startFirst,
      readyMs: request.readySeconds * 1000,
      drainMs: request.drainSeconds * 1000,
      onProgress,
    },
    signal,
  );
  if (limits !== undefined || restart !== undefined)
    await containers.update(after.id, {
      ...(limits !== undefined && { limits }),
      ...(restart !== undefined && { restart }),
    });
  return { kind: 'done', id: after.id, name: after.name };
}

/** Throws InvalidArgument unless the body is a whole request. */
export function readSetRequest(body: unknown): SetRequest {
  if (!isObject(body)) throw new StatusError('InvalidArgument', 'want a JSON object');
  const { name, startFirst, readySeconds, drainSeconds } = body;
  const isSeconds = (value: unknown): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= maximumSeconds;
  const isWhole =
    typeof name === 'string' &&
    name !== '' &&
    typeof startFirst === 'boolean' &&
    isSeconds(readySeconds) &&
    isSeconds(drainSeconds) &&
    textChanges.every((key) => typeof body[key] === 'string') &&
    listChanges.every((key) => isTexts(body[key]));
  if (!isWhole)
    throw new StatusError(
      'InvalidArgument',
      `want name, startFirst, readySeconds and drainSeconds from 0 to ${String(maximumSeconds)}, ` +
        `texts ${textChanges.join(', ')}, and lists ${listChanges.join(', ')}`,
    );
  return body as unknown as SetRequest;
}

function resourcesOf({
  restart,
  memory,
  memorySwap,
  cpus,
  pidsLimit,
}: SetRequest): Parameters<typeof containerChange>[1] {
  const [, policy = '', count = '0'] = /^([a-z-]+)(?::(\d{1,6}))?$/.exec(restart) ?? [];
  if (restart !== '' && policy === '') throw invalid('restart', restart);
  return {
    ...(restart !== '' && { RestartPolicy: { Name: policy, MaximumRetryCount: Number(count) } }),
    ...(memory !== '' && { Memory: bytes('memory', memory) }),
    ...(memorySwap !== '' && { MemorySwap: memorySwap === '-1' ? -1 : bytes('memory-swap', memorySwap) }),
    ...(cpus !== '' && { NanoCpus: Math.round(decimal('cpus', cpus) * 1e9) }),
    ...(pidsLimit !== '' && { PidsLimit: decimal('pids-limit', pidsLimit) }),
  };
}

function bytes(option: string, text: string): number {
  const value = parseByteSize(text);
  if (value === undefined) throw invalid(option, text);
  return value;
}

function decimal(option: string, text: string): number {
  if (!/^-?\d{1,9}(\.\d{1,9})?$/.test(text)) throw invalid(option, text);
  return Number(text);
}

function invalid(option: string, text: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot change the container: --${option} does not take "${text}"`);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
