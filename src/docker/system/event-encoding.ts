import { jsonLine } from '../http/json-stream.ts';

export interface EventEncoding {
  readonly contentType: string;
  readonly encode: (message: object) => string;
}

const encodings: readonly EventEncoding[] = [
  { contentType: 'application/jsonl', encode: (message) => `${JSON.stringify(message)}\n` },
  { contentType: 'application/x-ndjson', encode: (message) => `${JSON.stringify(message)}\n` },
  // RFC 7464: a record separator before each text.
  { contentType: 'application/json-seq', encode: (message) => `\u001E${JSON.stringify(message)}\n` },
];

/** What it was before there was a choice. */
const unasked: EventEncoding = { contentType: 'application/json', encode: jsonLine };

/** The encoding of GET /events that an Accept header names first; quality values are not weighed. */
export function eventEncoding(accept: string): EventEncoding {
  const wanted = accept.split(',').map((part) => (part.split(';', 1)[0] ?? '').trim().toLowerCase());
  for (const type of wanted) {
    const known = encodings.find(({ contentType }) => contentType === type);
    if (known !== undefined) return known;
  }
  return unasked;
}
