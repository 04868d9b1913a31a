import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import { isObject } from '#base/json.ts';
import { parseByteSize } from '#formats/byte-size.ts';
import { parseMountOptions } from '#sys/mount-options.ts';

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
const knownOptions = new Set(['type', 'o', 'device', 'size']);
/** Options that mean nothing without others. */
const companions: readonly (readonly [string, readonly string[]])[] = [
  ['device', ['type']],
  ['type', ['device']],
  ['o', ['device', 'type']],
];
/** Below this ext4 has no room for anything but itself. */
const minSizeBytes = 4 * 1024 ** 2;

/**
 * Checks a request and completes it. Throws InvalidArgument for a bad name or option (in Docker's words), NotFound for
 * another driver.
 */
export function defineVolume(volume: NewVolume, nowMs: number): VolumeDefinition {
  const driver = volume.driver ?? 'local';
  const anonymous = volume.anonymous === true || (volume.name ?? '') === '';
  const name = volume.name || newId();
  if (driver !== 'local' && driver !== '')
    throw new StatusError(
      'NotFound',
      `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found; the only driver is "local"`,
    );
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
  const refuse = (why: string): StatusError => new StatusError('InvalidArgument', `create ${name}: ${why}`);
  for (const key of Object.keys(options))
    if (!knownOptions.has(key))
      throw refuse(`invalid option: "${key}"; the local driver takes type, o, device and size`);
  for (const [key, needs] of companions)
    for (const need of needs)
      if (options[key] !== undefined && (options[need] ?? '') === '')
        throw refuse(`missing required option: "${need}"`);
  const { type = '', device = '', size } = options;
  if (isBind(options)) {
    if (!device.startsWith('/')) throw refuse(`device "${device}" of a bind is not an absolute path`);
    const { data } = parseMountOptions(mountWords(options));
    if (data !== '') throw refuse(`a bind has no options of a filesystem, such as "${data}"`);
  }
  if (type === 'cifs' && /^\/\/[^/]*:\d+(\/|$)/.test(device))
    throw refuse(`port not allowed in CIFS device URL, include 'port' in 'o='`);
  if (size === undefined) return;
  const sizeBytes = parseByteSize(size);
  if (sizeBytes === undefined) throw refuse(`invalid size: '${size}'; write a number with k, m, g or t, such as 10g`);
  if (type !== '') throw refuse(`size is for volumes of this machine's disk; limit type=${type} by its own means`);
  if (sizeBytes < minSizeBytes) throw refuse(`size ${size} is too small, the least is 4m`);
}

/** The limit of a volume that has one. */
export function sizeLimitOf(volume: Pick<VolumeDefinition, 'options'>): number | undefined {
  const { size } = volume.options;
  return size === undefined ? undefined : parseByteSize(size);
}

/** Whether its data is somewhere else than in the volume's folder, and has to be mounted there. */
export function needsMount({ options }: Pick<VolumeDefinition, 'options'>): boolean {
  return options['device'] !== undefined || options['size'] !== undefined;
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
