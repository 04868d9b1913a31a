type HeaderMap = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Headers of which several lines are several values: a name of a group may have a comma in it. */
const listed = /^impersonate-(group|extra-.+)$/;
const prefix = 'impersonate-';

/** Headers with those of impersonation as lists, one item for each line; Node joins them by commas. `raw`: names and values in turn. */
export function withRepeated(headers: HeaderMap, raw: readonly string[]): HeaderMap {
  if (!raw.some((text) => text.length > prefix.length && text.slice(0, prefix.length).toLowerCase() === prefix))
    return headers;
  const lists: Record<string, string[]> = {};
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    if (listed.test(name)) (lists[name] ??= []).push(raw[at + 1] ?? '');
  }
  return { ...headers, ...lists };
}
