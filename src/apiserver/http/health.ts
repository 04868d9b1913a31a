import { messageOf } from '#base/errors.ts';

import { textReply, type Call, type Reply } from './call.ts';

export interface HealthCheck {
  readonly name: string;
  /** Rejects while it is not well. */
  check(signal: AbortSignal): Promise<void>;
}

/** `/livez`, `/readyz`, `/healthz`, with `?verbose`, `?exclude=` and single checks below them. */
export async function healthReply(
  call: Call,
  checks: readonly HealthCheck[],
  signal: AbortSignal,
): Promise<Reply | undefined> {
  const [, endpoint = '', , only] = /^\/(livez|readyz|healthz)(\/([\w.-]+))?\/?$/.exec(call.path) ?? [];
  if (endpoint === '') return undefined;
  const excluded = new Set(call.query.getAll('exclude'));
  const chosen = checks.filter(({ name }) => (only === undefined ? !excluded.has(name) : name === only));
  if (only !== undefined && chosen.length === 0) return textReply('404 page not found\n', 404);
  const results = await Promise.all(chosen.map(async (one) => ({ name: one.name, fault: await faultOf(one, signal) })));
  const isWell = results.every(({ fault }) => fault === undefined);
  const isVerbose = call.query.has('verbose') || !isWell;
  if (!isVerbose) return textReply('ok');
  const lines = results.map(({ name, fault }) =>
    fault === undefined ? `[+]${name} ok` : `[-]${name} failed: ${fault}`,
  );
  const passed = isWell ? `${endpoint} check passed` : `${endpoint} check failed`;
  return textReply(`${[...lines, passed].join('\n')}\n`, isWell ? 200 : 500);
}

async function faultOf(one: HealthCheck, signal: AbortSignal): Promise<string | undefined> {
  try {
    await one.check(signal);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
