import koffi from 'koffi';

import { StatusError } from '#base/errors.ts';

const libraryName = 'libnftables.so.1';
const jsonFlag = 1 << 4;

type Context = unknown;

interface Bindings {
  readonly open: (flags: number) => Context;
  readonly close: (context: Context) => void;
  readonly bufferOutput: (context: Context) => number;
  readonly bufferError: (context: Context) => number;
  readonly setOutputFlags: (context: Context, flags: number) => void;
  readonly run: (context: Context, commands: string) => number;
  readonly output: (context: Context) => string | null;
  readonly error: (context: Context) => string | null;
}

/** nftables refused a transaction: nothing of it was done. The message is nft's own. */
export class NftError extends Error {
  override readonly name = 'NftError';
}

/** One object of a listing in libnftables-json(5): `{ chain: {...} }`, `{ rule: {...} }`, ... */
export type NftObject = Readonly<Record<string, unknown>>;

/**
 * nftables in this process. A text of commands is one transaction: all of it happens or nothing. Serves the network
 * namespace in which it was made. Throws Unavailable when the library is not installed.
 */
export class Nft implements Disposable {
  readonly #bindings: Bindings;
  readonly #context: Context;
  #open = true;

  constructor() {
    this.#bindings = bind();
    this.#context = openContext(this.#bindings);
  }

  /** Throws NftError. */
  run(commands: string): void {
    execute(this.#bindings, this.#context, commands);
  }

  /** Runs a `list` command and returns its objects. Throws NftError. */
  list(command: string): readonly NftObject[] {
    this.#bindings.setOutputFlags(this.#context, jsonFlag);
    try {
      const listing = JSON.parse(execute(this.#bindings, this.#context, command) || '{}') as { nftables?: NftObject[] };
      return listing.nftables ?? [];
    } finally {
      this.#bindings.setOutputFlags(this.#context, 0);
    }
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#bindings.close(this.#context);
  }
}

function openContext(bindings: Bindings): Context {
  const context = bindings.open(0);
  if (context === null) throw new Error(`${libraryName} gave no context`);
  bindings.bufferOutput(context);
  bindings.bufferError(context);
  return context;
}

function execute(bindings: Bindings, context: Context, commands: string): string {
  const result = bindings.run(context, commands);
  // Reading empties the buffers, so both are read each time.
  const output = bindings.output(context) ?? '';
  const error = bindings.error(context) ?? '';
  if (result !== 0) throw new NftError(error.trim() === '' ? 'nftables refused without a reason' : error.trim());
  return output;
}

function bind(): Bindings {
  const library = loadLibrary();
  const define = (prototype: string): never => library.func(prototype) as never;
  return {
    open: define('void *nft_ctx_new(uint32_t flags)'),
    close: define('void nft_ctx_free(void *context)'),
    bufferOutput: define('int nft_ctx_buffer_output(void *context)'),
    bufferError: define('int nft_ctx_buffer_error(void *context)'),
    setOutputFlags: define('void nft_ctx_output_set_flags(void *context, unsigned int flags)'),
    run: define('int nft_run_cmd_from_buffer(void *context, const char *commands)'),
    output: define('const char *nft_ctx_get_output_buffer(void *context)'),
    error: define('const char *nft_ctx_get_error_buffer(void *context)'),
  };
}

function loadLibrary(): ReturnType<typeof koffi.load> {
  try {
    return koffi.load(libraryName);
  } catch (cause) {
    const way = 'install the package libnftables1';
    throw new StatusError('Unavailable', `Cannot load library "${libraryName}": it is not usable; ${way}`, { cause });
  }
}
