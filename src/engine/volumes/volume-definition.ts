import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import { isObject } from '#base/json.ts';

import type { NewVolume } from './volumes.ts';

/** What is kept of a volume, durably, in its `volume.json`. */
export interface VolumeDefinition {
  readonly name: string;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly anonymous: boolean;
}

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
/** A file name's length on every filesystem. */
const maxNameBytes = 255;
const knownOptions = new Set(['type', 'o', 'device']);

/**
 * Checks a request and completes it. Throws InvalidArgument for a bad name or option, NotFound for another driver,
 * NotSupported for what the local driver does not mount here.
 */
export function defineVolume(volume: NewVolume, nowMs: number): VolumeDefinition {
  const driver = volume.driver ?? 'local';
  if (driver !== 'local' && driver !== '')
    throw new StatusError(
      'NotFound',
      `Cannot create volume: volume driver "${driver}" not found; use the driver "local"`,
    );
  const anonymous = volume.name === undefined || volume.name === '';
  const name = anonymous ? newId() : (volume.name ?? '');
  checkName(name);
  const options = volume.options ?? {};
  checkOptions(name, options);
  return { name, createdAtMs: nowMs, labels: volume.labels ?? {}, options, anonymous };
}

/** Throws InvalidArgument unless Docker would take the name. */
function checkName(name: string): void {
  if (namePattern.test(name) && name.length > 1 && name.length <= maxNameBytes) return;
  throw new StatusError(
    'InvalidArgument',
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" ` +
      'are allowed. If you intended to pass a host directory, use absolute path',
  );
}

function checkOptions(name: string, options: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(options))
    if (!knownOptions.has(key))
      throw new StatusError(
        'InvalidArgument',
        `create ${name}: invalid option: "${key}"; the local driver takes type, o and device`,
      );
  if (Object.keys(options).length === 0) return;
  const { type = '', device = '', o = '' } = options;
  if (isBind(options)) {
    if (!device.startsWith('/'))
      throw new StatusError('InvalidArgument', `create ${name}: device "${device}" of a bind is not an absolute path`);
    return;
  }
  if (type === 'tmpfs') return;
  throw new StatusError(
    'NotSupported',
    `create ${name}: the local driver mounts type=tmpfs and o=bind so far, not type="${type}" o="${o}"`,
  );
}

/** Whether the options say that the volume shows a folder of the host. */
export function isBind(options: Readonly<Record<string, string>>): boolean {
  return mountWords(options).some((word) => word === 'bind' || word === 'rbind');
}

/** The words of the option `o`. */
export function mountWords(options: Readonly<Record<string, string>>): readonly string[] {
  return (options['o'] ?? '').split(',').filter((word) => word !== '');
}

/** Whether two requests for the same name ask for the same volume. */
export function sameOptions(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}

/** Whether a parsed file is a definition of the volume that its folder names. */
export function isDefinition(value: unknown): value is VolumeDefinition {
  return (
    isObject(value) &&
    typeof value['name'] === 'string' &&
    typeof value['createdAtMs'] === 'number' &&
    typeof value['anonymous'] === 'boolean' &&
    isStrings(value['labels']) &&
    isStrings(value['options'])
  );
}

function isStrings(value: unknown): value is Record<string, string> {
  return isObject(value) && Object.values(value).every((item) => typeof item === 'string');
}
