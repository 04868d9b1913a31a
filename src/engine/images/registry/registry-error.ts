import { StatusError } from '#base/errors.ts';
import type { Reason } from '#base/errors.ts';
import { isObject } from '#base/json.ts';

/** What a registry said when it refused (OCI distribution specification, "Error Codes"). */
export interface Refusal {
  readonly status: number;
  readonly host: string;
  readonly path: string;
  readonly method: string;
  /** In lower case with spaces, such as `manifest unknown`; '' when it gave none. */
  readonly code: string;
  readonly message: string;
}

/** A refusal, for those who know what was asked for and can say it better. */
export class RegistryRefusal extends Error {
  override readonly name = 'RegistryRefusal';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(wordsOf(refusal));
    this.refusal = refusal;
  }

  /** As the caller's error when there is nothing better to say. */
  toStatusError(): StatusError {
    return new StatusError(reasonOfStatus(this.refusal.status), this.message, { cause: this });
  }
}

const messageCharsMost = 500;

/** Reads the code and message of an error body; anything else gives ''. */
export function parseErrorBody(body: Uint8Array): { readonly code: string; readonly message: string } {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return { code: '', message: '' };
  }
  const errors: unknown = isObject(value) ? value['errors'] : undefined;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  if (isObject(first)) return { code: plainCode(first['code']), message: plainText(first['message']) };
  // Token servers answer `{"details": "..."}` or `{"error": "...", "error_description": "..."}`.
  const details = isObject(value) ? (value['details'] ?? value['error_description'] ?? value['error']) : undefined;
  return { code: '', message: plainText(details) };
}

function wordsOf({ status, host, path, method, code, message }: Refusal): string {
  const said = [code, message].filter((part) => part !== '').join(': ');
  const shown = said === '' ? '' : ` (${said})`;
  const way = status >= 500 || status === 429 ? '; try again later' : '';
  return `registry ${host} answered ${String(status)} to ${method} ${path}${shown}${way}`;
}

function reasonOfStatus(status: number): Reason {
  if (status === 401) return 'Unauthorized';
  if (status === 403) return 'Forbidden';
  if (status === 404) return 'NotFound';
  return status >= 500 || status === 429 ? 'Unavailable' : 'Damaged';
}

function plainCode(value: unknown): string {
  return plainText(value).toLowerCase().replaceAll('_', ' ');
}

/** Text of a foreign server without control characters, shortened. */
function plainText(value: unknown): string {
  return typeof value === 'string' ? value.replace(/\p{Cc}+/gu, ' ').slice(0, messageCharsMost) : '';
}
