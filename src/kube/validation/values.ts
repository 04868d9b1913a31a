import { type IntOrPercent, percentOf } from '#formats/int-or-percent.ts';

import { invalid, notSupported, required } from './faults.ts';
import { type Faults, negativeFaults } from './object-meta.ts';

/** A value out of a fixed list, which is shown in its order. Empty counts as absent. */
export function* oneOfFaults(path: string, value: string | undefined, supported: readonly string[]): Faults {
  if ((value ?? '') === '') yield required(path);
  else yield* choiceFaults(path, value, supported);
}

/** The same, where nothing needs to be chosen. */
export function* choiceFaults(path: string, value: string | undefined, supported: readonly string[]): Faults {
  if (value !== undefined && !supported.includes(value)) yield notSupported(path, value, supported);
}

/** A count that is not negative, or a share such as `25%`. */
export function* countOrShareFaults(path: string, value: IntOrPercent | undefined): Faults {
  if (typeof value === 'number') yield* negativeFaults(path, value);
  else if (value !== undefined && percentOf(value) === undefined) yield invalid(path, value, percentRule);
}

/** No share over all. */
export function* wholeShareFaults(path: string, value: IntOrPercent | undefined): Faults {
  if (value !== undefined && (percentOf(value) ?? 0) > 100) yield invalid(path, value, 'must not be greater than 100%');
}

const percentRule =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
