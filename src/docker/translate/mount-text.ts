import { StatusError } from '#base/errors.ts';

import type { MountConfig } from './mount-fields.ts';

type Draft = { -readonly [Key in keyof MountConfig]: MountConfig[Key] };

/** What a key of `--mount` means, as docker's client has it; a word without `=` means `true`. */
const keys: Readonly<Record<string, (mount: Draft, value: string) => void>> = {
  type: (mount, value) => (mount.Type = value),
  source: (mount, value) => (mount.Source = value),
  src: (mount, value) => (mount.Source = value),
  target: (mount, value) => (mount.Target = value),
  destination: (mount, value) => (mount.Target = value),
  dst: (mount, value) => (mount.Target = value),
  readonly: (mount, value) => (mount.ReadOnly = isTrue(value)),
  ro: (mount, value) => (mount.ReadOnly = isTrue(value)),
  consistency: (mount, value) => (mount.Consistency = value),
  'bind-propagation': (mount, value) => (mount.BindOptions = { ...mount.BindOptions, Propagation: value }),
  'bind-create-src': (mount, value) => (mount.BindOptions = { ...mount.BindOptions, CreateMountpoint: isTrue(value) }),
  'bind-recursive': (mount, value) => (mount.BindOptions = { ...mount.BindOptions, ...recursion(value) }),
  'volume-nocopy': (mount, value) => (mount.VolumeOptions = { ...mount.VolumeOptions, NoCopy: isTrue(value) }),
  'volume-subpath': (mount, value) => (mount.VolumeOptions = { ...mount.VolumeOptions, Subpath: value }),
  'image-subpath': (mount, value) => (mount.ImageOptions = { Subpath: value }),
  'tmpfs-size': (mount, value) =>
    (mount.TmpfsOptions = { ...mount.TmpfsOptions, SizeBytes: wholeNumber('tmpfs-size', value, 10) }),
  'tmpfs-mode': (mount, value) =>
    (mount.TmpfsOptions = { ...mount.TmpfsOptions, Mode: wholeNumber('tmpfs-mode', value, 8) }),
};

/** Reads `type=bind,src=/a,dst=/b,readonly`. Quotes, and labels and options of volumes, are not taken here. */
export function parseMountText(text: string): MountConfig {
  const mount: Draft = { Type: 'volume' };
  for (const field of text.split(',')) {
    const [, key = '', value = 'true'] = /^([^=]*)(?:=(.*))?$/s.exec(field) ?? [];
    const read = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (read === undefined)
      throw new StatusError(
        'InvalidArgument',
        `Cannot read the mount "${text}": unknown key "${key}", known are ${Object.keys(keys).join(', ')}`,
      );
    read(mount, value);
  }
  return mount;
}

function recursion(value: string): NonNullable<MountConfig['BindOptions']> {
  if (value === 'enabled') return {};
  if (value === 'disabled') return { NonRecursive: true };
  if (value === 'writable') return { ReadOnlyNonRecursive: true };
  if (value === 'readonly') return { ReadOnlyForceRecursive: true };
  throw new StatusError('InvalidArgument', `bind-recursive is "${value}"; say enabled, disabled, writable or readonly`);
}

function isTrue(value: string): boolean {
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw new StatusError('InvalidArgument', `"${value}" is neither true nor false`);
}

function wholeNumber(key: string, value: string, base: 8 | 10): number {
  const pattern = base === 8 ? /^[0-7]{1,5}$/ : /^\d{1,15}$/;
  if (!pattern.test(value)) throw new StatusError('InvalidArgument', `${key} is "${value}", want a whole number`);
  return Number.parseInt(value, base);
}
