import { isObject } from '#base/json.ts';

import { json, type Reply } from '../http/reply.ts';

const hidden = '********';
/** Options of mounts and log drivers that hold secrets. */
const secretOption = /((?:^|,)(?:pass(?:word)?2?|credentials|cred)=)[^,]*/g;

/** Hides the values of variables, passwords in the options of volumes, and all options of log drivers. */
export function maskSecrets(reply: Reply): Reply {
  if (reply.kind !== 'value' || reply.contentType !== 'application/json') return reply;
  return json(mask(JSON.parse(reply.body), ''), reply.status, reply.headers);
}

/** `key`: under which the value stands. */
function mask(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => maskItem(item, key));
  if (!isObject(value)) return value;
  const isLogConfig = key === 'LogConfig';
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      if (isLogConfig && name === 'Config' && isObject(item)) return [name, mapTexts(item, () => hidden)];
      if (name === 'Options' && isObject(item))
        return [name, mapTexts(item, (text) => text.replace(secretOption, `$1${hidden}`))];
      return [name, mask(item, name)];
    }),
  );
}

function maskItem(item: unknown, key: string): unknown {
  if (key !== 'Env' || typeof item !== 'string') return mask(item, '');
  const split = item.indexOf('=');
  return split < 0 ? item : `${item.slice(0, split)}=${hidden}`;
}

function mapTexts(record: Readonly<Record<string, unknown>>, change: (text: string) => string): object {
  return Object.fromEntries(
    Object.entries(record).map(([name, item]) => [name, typeof item === 'string' ? change(item) : item]),
  );
}
