import { equalJson } from '../patch/json-tree.ts';
import type { ManagedFieldsEntry } from '../resource.ts';
import { badRequest } from '../status.ts';
import { type FieldSet, isEmptySet, parseFields, printFields } from './field-set.ts';

/** Who set fields, and how: who applies has one entry over all versions, who updates one per version. */
export interface FieldOwner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  /** Group and version that the names of the fields are of. */
  readonly apiVersion: string;
  /** Empty: the object itself. */
  readonly subresource: string;
}

/** A manager with what it owns. */
export interface Managed extends FieldOwner {
  readonly set: FieldSet;
  /** RFC 3339; undefined: not known. */
  readonly time: string | undefined;
}

/** Entries of metadata.managedFields by `identityOf`. */
export type ManagedFields = ReadonlyMap<string, Managed>;

/** Names the entry of a manager, and orders entries as upstream does. */
export function identityOf({ manager, operation, apiVersion, subresource }: FieldOwner): string {
  return JSON.stringify({
    manager,
    operation,
    ...(operation === 'Update' ? { apiVersion } : {}),
    ...(subresource === '' ? {} : { subresource }),
  });
}

/** Reads metadata.managedFields. Throws BadRequest with upstream's words for entries that say nothing. */
export function decodeManagedFields(entries: readonly ManagedFieldsEntry[] | undefined): ManagedFields {
  const managed = new Map<string, Managed>();
  for (const [index, entry] of (entries ?? []).entries()) {
    const one = decodeEntry(entry, index);
    managed.set(identityOf(one), one);
  }
  return managed;
}

/** The same, but nothing for entries that cannot be read. */
export function readManagedFields(entries: readonly ManagedFieldsEntry[] | undefined): ManagedFields {
  try {
    return decodeManagedFields(entries);
  } catch {
    return new Map();
  }
}

/** Whether a writer wants that nobody owns anything: an empty list, or one of an empty entry. */
export function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (entries === undefined) return false;
  return entries.length === 0 || (entries.length === 1 && equalJson(entries[0], {}));
}

/** metadata.managedFields: appliers first, then by time, name, version, subresource. Undefined: nobody owns anything. */
export function encodeManagedFields(managed: ManagedFields): readonly ManagedFieldsEntry[] | undefined {
  const rows = [...managed.values()].filter(({ set }) => !isEmptySet(set)).toSorted(compareManaged);
  return rows.length === 0 ? undefined : rows.map(encodeEntry);
}

/** RFC 3339 with whole seconds, as Kubernetes writes times. */
export function timeText(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

function decodeEntry(entry: ManagedFieldsEntry, index: number): Managed {
  const { operation, apiVersion, fieldsType } = entry;
  if (operation !== 'Apply' && operation !== 'Update') throw undecoded('operation must be `Apply` or `Update`');
  if (typeof apiVersion !== 'string' || apiVersion === '') throw undecoded('apiVersion must not be empty');
  const where = `in managed fields entry ${String(index)}`;
  if (fieldsType === undefined || (fieldsType as string) === '') throw undecoded(`missing fieldsType ${where}`);
  if (fieldsType !== 'FieldsV1') throw undecoded(`invalid fieldsType ${JSON.stringify(fieldsType)} ${where}`);
  return {
    manager: entry.manager ?? '',
    operation,
    apiVersion,
    subresource: entry.subresource ?? '',
    set: decodeSet(entry.fieldsV1 ?? {}),
    time: entry.time,
  };
}

function decodeSet(fields: unknown): FieldSet {
  try {
    return parseFields(fields);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw undecoded(`error decoding set: ${error.message}`);
  }
}

function undecoded(why: string): Error {
  return badRequest(`failed to decode managed fields: ${why}`);
}

function encodeEntry({ manager, operation, apiVersion, subresource, set, time }: Managed): ManagedFieldsEntry {
  return {
    ...(manager === '' ? {} : { manager }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: printFields(set),
    ...(subresource === '' ? {} : { subresource }),
  };
}

function compareManaged(left: Managed, right: Managed): number {
  return (
    compareTexts(left.operation, right.operation) ||
    secondsOf(left) - secondsOf(right) ||
    compareTexts(left.manager, right.manager) ||
    compareTexts(left.apiVersion, right.apiVersion) ||
    compareTexts(left.subresource, right.subresource)
  );
}

export function secondsOf({ time }: Managed): number {
  const ms = time === undefined ? NaN : Date.parse(time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
