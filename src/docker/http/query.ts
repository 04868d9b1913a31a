import { StatusError } from '#base/errors.ts';

const falseWords: ReadonlySet<string> = new Set(['', '0', 'no', 'false', 'none']);

/** The query string of a request, read as Docker's daemon reads it. */
export class Query {
  readonly #parameters: URLSearchParams;

  constructor(search: string) {
    this.#parameters = new URLSearchParams(search);
  }

  /** The same, but for one value. */
  with(name: string, value: string): Query {
    const changed = new URLSearchParams(this.#parameters);
    changed.set(name, value);
    return new Query(changed.toString());
  }

  has(name: string): boolean {
    return this.#parameters.has(name);
  }

  /** The first value; '' when missing. */
  text(name: string): string {
    return this.#parameters.get(name) ?? '';
  }

  texts(name: string): readonly string[] {
    return this.#parameters.getAll(name);
  }

  /** Everything counts as true but the empty string, `0`, `no`, `false` and `none`. */
  flag(name: string, otherwise = false): boolean {
    const value = this.#parameters.get(name);
    return value === null ? otherwise : !falseWords.has(value.trim().toLowerCase());
  }

  /** Undefined when missing or empty; throws InvalidArgument for anything but a whole number. */
  integer(name: string): number | undefined {
    const value = this.text(name);
    if (value === '') return undefined;
    const number = Number(value);
    if (!/^[+-]?\d{1,18}$/.test(value) || !Number.isSafeInteger(number)) {
      throw new StatusError('InvalidArgument', `Cannot read the parameter "${name}": "${value}" is not an integer`);
    }
    return number;
  }

  /** The value parsed as JSON; undefined when missing or empty. */
  json(name: string): unknown {
    const value = this.text(name);
    if (value === '') return undefined;
    try {
      return JSON.parse(value) as unknown;
    } catch (error) {
      throw new StatusError('InvalidArgument', `Cannot read the parameter "${name}": it is not valid JSON`, {
        cause: error,
      });
    }
  }
}
