import { RegistryError } from '../registry-error.ts';
import { jsonReply } from './reply.ts';
import type { RegistryCall, RegistryReply } from './reply.ts';

const pageMost = 1000;

/** A page of a sorted list ("Listing Tags"): `n` entries after `last`, and a Link to the next page when there is one. */
export function listReply(
  { query }: RegistryCall,
  path: string,
  all: readonly string[],
  body: (page: readonly string[]) => object,
): RegistryReply {
  const n = query.get('n');
  if (n !== null && !/^\d{1,9}$/.test(n)) throw new RegistryError('UNSUPPORTED', 'n is not a number of entries');
  const count = Math.min(n === null ? pageMost : Number(n), pageMost);
  const last = query.get('last');
  const rest = last === null ? all : all.filter((one) => one > last);
  const page = rest.slice(0, count);
  const end = page.at(-1);
  if (end === undefined || rest.length <= page.length) return jsonReply(body(page));
  const next = new URLSearchParams({ n: String(count), last: end }).toString();
  return jsonReply(body(page), { link: `<${path}?${next}>; rel="next"` });
}
