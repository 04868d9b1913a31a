import type { UserInfo } from './user.ts';

/** What of a request tells who sent it. */
export interface Credentials {
  /** Names in lower case; what stands in several lines is a list, never joined by commas. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Without the query. */
  readonly path: string;
  /** DER of the certificate that the client proved to have; undefined: none. */
  readonly clientCertificate: Uint8Array | undefined;
}

export interface Authentication {
  readonly user: UserInfo;
  /** Audiences that the token was made for and the server answers to; empty when it was no token. */
  readonly audiences: readonly string[];
}

/** Finds out who asks. Resolves with undefined when it finds nothing it knows; throws Unauthorized for what is wrong. */
export interface Authenticator {
  authenticate(credentials: Credentials, signal: AbortSignal): Promise<Authentication | undefined>;
}
