import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { MountRequest } from '#engine/runtime/container.ts';

const propagations: ReadonlySet<string> = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);
/** Accepted and of no effect: SELinux labels where SELinux is not there, and cache hints of Docker Desktop. */
const withoutEffect: ReadonlySet<string> = new Set(['rw', 'z', 'Z', 'consistent', 'cached', 'delegated']);
const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Reads one `-v`: `/host:/path`, `volume:/path` or `/path`, with options after a further colon. */
export function parseBind(text: string): MountRequest {
  const parts = text.split(':');
  const [first = '', second, options] = parts;
  if (parts.length > 3 || first === '') throw invalid(text, 'write source:target[:options]');
  if (second === undefined) return { type: 'volume', source: '', target: mountTarget(first, text), readOnly: false };
  const target = mountTarget(second, text);
  const mode = parseMode(options ?? '', text);
  if (first.startsWith('/')) {
    if (mode.noCopy) throw invalid(text, '"nocopy" is for volumes');
    const { readOnly, propagation } = mode;
    const source = cleanSource(first);
    return { type: 'bind', source, target, readOnly, createSource: true, ...(propagation !== '' && { propagation }) };
  }
  if (!volumeName.test(first)) {
    const way = 'a host directory needs an absolute path, a volume a name of [a-zA-Z0-9][a-zA-Z0-9_.-]';
    throw invalid(text, `"${first}" includes invalid characters for a local volume name; ${way}`);
  }
  if (mode.propagation !== '') throw invalid(text, 'propagation is for host directories, not for volumes');
  return { type: 'volume', source: first, target, readOnly: mode.readOnly, ...(mode.noCopy && { noCopy: true }) };
}

/** The cleaned target of a mount; throws InvalidArgument unless it is absolute and below the root. */
export function mountTarget(path: string, specification: string): string {
  if (!path.startsWith('/')) throw invalid(specification, `mount path "${path}" must be absolute`);
  if (path.includes('\0')) throw invalid(specification, 'a path cannot contain a zero byte');
  const clean = posix.normalize(path).replace(/\/$/, '');
  if (clean === '') throw invalid(specification, `destination can't be '/'`);
  return clean;
}

/** A host path without dots, doubled slashes and one at its end. */
export function cleanSource(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, '');
}

export function isPropagation(word: string): boolean {
  return propagations.has(word);
}

interface Mode {
  readonly readOnly: boolean;
  readonly noCopy: boolean;
  readonly propagation: string;
}

function parseMode(text: string, specification: string): Mode {
  const words = text === '' ? [] : text.split(',');
  const propagation = words.filter(isPropagation);
  const known = (word: string): boolean =>
    word === 'ro' || word === 'nocopy' || isPropagation(word) || withoutEffect.has(word);
  const unknown = words.find((word) => !known(word));
  if (unknown !== undefined || propagation.length > 1 || (words.includes('ro') && words.includes('rw'))) {
    throw invalid(specification, `invalid mode: ${text}`);
  }
  return { readOnly: words.includes('ro'), noCopy: words.includes('nocopy'), propagation: propagation[0] ?? '' };
}

function invalid(specification: string, why: string): StatusError {
  return new StatusError('InvalidArgument', `invalid volume specification: '${specification}': ${why}`);
}
