import { StatusError } from '#base/errors.ts';
import { parseReference } from '#formats/reference.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import { parseFilters } from '../http/filters.ts';
import type { Reply } from '../http/reply.ts';
import { json } from '../http/reply.ts';
import { registryAuth } from '../system/auth-header.ts';

const limitMost = 100;
const limitDefault = 25;

/** GET /distribution/{name}/json: what a registry has under a name. */
export async function distributionReply({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const reference = parseReference(call.params['name'] ?? '');
  const auth = registryAuth(call.header('x-registry-auth'));
  const { descriptor, platforms } = await engine.images.lookUp(reference, auth === undefined ? {} : { auth }, signal);
  return json({ Descriptor: descriptor, Platforms: platforms });
}

/** GET /images/search: a term, or `registry/term`. */
export async function searchReply({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const filters = parseFilters(call.query, ['is-automated', 'is-official', 'stars']);
  const limit = call.query.integer('limit') ?? limitDefault;
  if (limit < 1 || limit > limitMost) {
    throw new StatusError(
      'InvalidArgument',
      `limit ${String(limit)} is outside the range of [1, ${String(limitMost)}]`,
    );
  }
  const stars = filters.values('stars').map((text) => {
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw new StatusError('InvalidArgument', `invalid filter 'stars=${text}'`);
  });
  const auth = registryAuth(call.header('x-registry-auth'));
  const query = { ...splitTerm(call.query.text('term')), limit, ...(auth !== undefined && { auth }) };
  const found = await engine.images.search(query, signal);
  const [official, automated] = [filters.flag('is-official'), filters.flag('is-automated')];
  const shown = found.filter(
    (one) =>
      stars.every((least) => one.stars >= least) &&
      (official === undefined || official === one.isOfficial) &&
      (automated === undefined || automated === one.isAutomated),
  );
  return json(
    shown.map(({ name, description, stars: count, isOfficial, isAutomated }) => ({
      name,
      description,
      star_count: count,
      is_official: isOfficial,
      is_automated: isAutomated,
    })),
  );
}

/** The first part is a registry when it looks like a host, as in names of images. */
function splitTerm(text: string): { readonly registry: string; readonly term: string } {
  if (text === '') throw new StatusError('InvalidArgument', 'Cannot search: the term is missing');
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  if (!/[.:]|^localhost$/.test(first)) return { registry: '', term: text };
  return { registry: first, term: text.slice(slash + 1) };
}
