import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { hostPlatform, parsePlatform } from '#engine/build/platform.ts';
import type { Platform } from '#formats/oci.ts';

/**
 * Reads a `platform` parameter: `linux/amd64`, `arm64`, or the JSON object that clients since API 1.48 send; undefined for
 * ''. Throws InvalidArgument.
 */
export function platformOf(text: string): Platform | undefined {
  if (text === '') return undefined;
  return parsePlatform(text.startsWith('{') ? textOfJson(text) : text, hostPlatform());
}

function textOfJson(text: string): string {
  const value = parse(text);
  if (!isObject(value)) throw new StatusError('InvalidArgument', 'failed to parse platform: want a JSON object');
  return ['os', 'architecture', 'variant']
    .map((name) => value[name])
    .filter((part) => typeof part === 'string' && part !== '')
    .join('/');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new StatusError('InvalidArgument', 'failed to parse platform: it is not valid JSON', { cause: error });
  }
}
