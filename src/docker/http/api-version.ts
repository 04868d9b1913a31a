import { StatusError } from '#base/errors.ts';

/** A Docker Engine API version, `major.minor`. */
export interface ApiVersion {
  readonly major: number;
  readonly minor: number;
}

export const maximumApiVersion: ApiVersion = { major: 1, minor: 54 };
export const minimumApiVersion: ApiVersion = { major: 1, minor: 24 };

const prefix = /^\/v(\d{1,4})\.(\d{1,4})(?=\/)/;

/**
 * Splits `/v1.43/info` into the version and `/info`; a path without a version speaks the newest one. Throws
 * InvalidArgument in Docker's words for versions that are not spoken.
 */
export function splitVersion(path: string): { readonly version: ApiVersion; readonly path: string } {
  const match = prefix.exec(path);
  if (match === null) return { version: maximumApiVersion, path };
  const version = { major: Number(match[1]), minor: Number(match[2]) };
  if (isOlder(maximumApiVersion, version)) {
    const maximum = formatVersion(maximumApiVersion);
    throw new StatusError(
      'InvalidArgument',
      `client version ${formatVersion(version)} is too new. Maximum supported API version is ${maximum}`,
    );
  }
  if (isOlder(version, minimumApiVersion)) {
    throw new StatusError(
      'InvalidArgument',
      `client version ${formatVersion(version)} is too old. Minimum supported API version is ` +
        `${formatVersion(minimumApiVersion)}, please upgrade your client to a newer version`,
    );
  }
  return { version, path: path.slice(match[0].length) };
}

function isOlder(version: ApiVersion, than: ApiVersion): boolean {
  return version.major === than.major ? version.minor < than.minor : version.major < than.major;
}

/** Whether the client speaks at least `1.<minor>`. */
export function speaks(version: ApiVersion, minor: number): boolean {
  return !isOlder(version, { major: 1, minor });
}

export function formatVersion(version: ApiVersion): string {
  return `${String(version.major)}.${String(version.minor)}`;
}
