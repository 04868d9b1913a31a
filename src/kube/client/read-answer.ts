import { isObject } from '#base/json.ts';
import { StatusError } from '#base/errors.ts';

import { ApiError, type StatusCause, type StatusDetails, type StatusReason, statusReasons } from '../status.ts';
import type { ApiResponse } from './transport.ts';

/** Bytes of one answer that is read whole: lists of tens of thousands of objects. */
const answerBytesMost = 256 * 1024 * 1024;
/** Bytes of one event of a watch: an object of the largest size, twice over. */
const lineBytesMost = 8 * 1024 * 1024;

/** The JSON of an answer. Throws the ApiError that a refusal says. */
export async function readAnswer(response: ApiResponse): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > answerBytesMost) throw tooLarge('an answer', answerBytesMost);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (response.status < 200 || response.status > 299) throw refusalOf(response, text);
  return parseJson(text);
}

/** The JSON values of a watch, one for each line. Throws the ApiError that a refusal says. */
export async function* readLines(response: ApiResponse): AsyncGenerator<unknown> {
  if (response.status !== 200) {
    await readAnswer(response);
    throw new StatusError('Damaged', `the server answered a watch with HTTP status ${String(response.status)}`);
  }
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > lineBytesMost) throw tooLarge('an event of a watch', lineBytesMost);
    for (const line of lines) if (line.trim() !== '') yield parseJson(line);
  }
  // What a broken connection leaves behind is no event; a whole one without its line end is.
  if (rest.trim() !== '' && isJson(rest)) yield parseJson(rest);
}

/** The error that a Status says; undefined for success and for what is no Status. */
export function errorOfStatus(value: unknown): ApiError | undefined {
  if (!isObject(value) || value['kind'] !== 'Status' || value['status'] === 'Success') return undefined;
  const message = typeof value['message'] === 'string' ? value['message'] : 'the server gives no reason';
  const details = isObject(value['details']) ? readDetails(value['details']) : undefined;
  return new ApiError(reasonOf(value['reason'], value['code']), message, details);
}

function refusalOf({ status, retryAfterSeconds }: ApiResponse, text: string): ApiError {
  const value = isJson(text) ? parseJson(text) : undefined;
  const said = errorOfStatus(value);
  const details = { ...said?.details, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  if (said !== undefined) return new ApiError(said.statusReason, said.message, details);
  const words = text.slice(0, 200).trim();
  const message = `the server answered with HTTP status ${String(status)}${words === '' ? '' : `: ${words}`}`;
  return new ApiError(reasonOf(undefined, status), message, details);
}

function reasonOf(reason: unknown, code: unknown): StatusReason {
  if (typeof reason === 'string' && Object.hasOwn(statusReasons, reason)) return reason as StatusReason;
  const rows = Object.entries(statusReasons) as [StatusReason, { code: number }][];
  return rows.find(([, row]) => row.code === code)?.[0] ?? 'InternalError';
}

function readDetails(details: Record<string, unknown>): StatusDetails {
  const text = (name: string): Record<string, string> => {
    const value = details[name];
    return typeof value === 'string' ? { [name]: value } : {};
  };
  const causes = Array.isArray(details['causes']) ? details['causes'].filter(isObject).map(readCause) : [];
  const seconds = details['retryAfterSeconds'];
  return {
    ...text('name'),
    ...text('group'),
    ...text('kind'),
    ...text('uid'),
    ...(causes.length === 0 ? {} : { causes }),
    ...(typeof seconds === 'number' ? { retryAfterSeconds: seconds } : {}),
  };
}

function readCause({ reason, message, field }: Record<string, unknown>): StatusCause {
  return {
    reason: typeof reason === 'string' ? reason : '',
    message: typeof message === 'string' ? message : '',
    ...(typeof field === 'string' ? { field } : {}),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new StatusError('Damaged', 'the server answered with something that is not JSON', { cause: error });
  }
}

function tooLarge(what: string, bytesMost: number): StatusError {
  return new StatusError('TooLarge', `the server sent ${what} of more than ${String(bytesMost)} bytes; ask for less`);
}
