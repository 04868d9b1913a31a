/** Where a Kubernetes API is, and who we are to it. */
export interface ApiTarget {
  /** Such as `https://10.0.0.1:6443`, without a path. */
  readonly origin: string;
  /** Certificates that the server's must come from, as PEM; undefined: those of the machine. */
  readonly authoritiesPem: string | undefined;
  /** Name that the server's certificate must have; undefined: that of the origin. */
  readonly serverName: string | undefined;
  /** The server's certificate is not checked at all. */
  readonly isInsecure: boolean;
  readonly credentials: Credentials;
  /** Namespace of commands that name none. */
  readonly namespace: string;
}

export interface Credentials {
  readonly certificatePem?: string;
  readonly keyPem?: string;
  /** Asked for each request, since tokens in files are replaced. */
  readonly token?: () => string;
}
