/** The drivers of `--log-driver`, Docker's names. */
export const logDrivers = ['json-file', 'local', 'none', 'syslog', 'journald', 'fluentd', 'gelf'] as const;

export type LogDriver = (typeof logDrivers)[number];

export type LogOptions = Readonly<Record<string, string>>;

/** `--log-driver` and `--log-opt` of a container. */
export interface LogConfig {
  readonly driver: LogDriver;
  readonly options: LogOptions;
}

/** How much of a container's output is kept in files; always bounded. */
export interface LogLimits {
  readonly maxFiles: number;
  readonly maxSizeBytes: number;
  /** Whether complete files are kept compressed. */
  readonly compress: boolean;
}

/** What a container's log options mean. */
export interface LogSettings {
  /** The files that conmon writes: the log itself, or what is kept of one that is sent elsewhere. */
  readonly limits: LogLimits;
  /** Whether `logs` may read the files. */
  readonly readable: boolean;
  /** Where the output is sent besides. */
  readonly target?: LogTarget;
  /** Bytes that sending may fall behind before it skips to what is newer; undefined: as long as the files hold it. */
  readonly lagBytes?: number;
}

export type LogTarget = SyslogTarget | JournaldTarget | FluentdTarget | GelfTarget;

/** A place to connect to. `tls` is TCP with TLS. */
export type Address =
  | { readonly protocol: 'tcp' | 'tls' | 'udp'; readonly host: string; readonly port: number }
  | { readonly protocol: 'unix' | 'unixgram'; readonly path: string };

/** How failed attempts are repeated. */
export interface Retry {
  readonly firstMs: number;
  readonly factor: number;
  readonly longestMs: number;
  /** After as many failures in a row what could not be sent is given up; undefined: never. */
  readonly attemptsMost?: number;
}

export interface TlsFiles {
  /** Paths of PEM files; '' for none. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  readonly skipVerify: boolean;
}

export interface SyslogTarget {
  readonly driver: 'syslog';
  /** undefined: the machine's own syslog. */
  readonly address: Address | undefined;
  readonly facility: number;
  readonly format: 'unix' | 'rfc3164' | 'rfc5424' | 'rfc5424micro';
  readonly tls: TlsFiles;
  readonly retry: Retry;
}

export interface JournaldTarget {
  readonly driver: 'journald';
  readonly retry: Retry;
}

export interface FluentdTarget {
  readonly driver: 'fluentd';
  readonly address: Address;
  readonly subSecond: boolean;
  /** Whether the receiver confirms each event. */
  readonly acknowledged: boolean;
  /** Most bytes on their way at once. */
  readonly bufferBytes: number;
  /** A connection is made anew after as long, so that changed names are found; 0: never. */
  readonly reconnectMs: number;
  /** 0: no limit. */
  readonly writeTimeoutMs: number;
  readonly readTimeoutMs: number;
  /** Whether a container does not start without its receiver. */
  readonly connectFirst: boolean;
  readonly retry: Retry;
}

export interface GelfTarget {
  readonly driver: 'gelf';
  readonly address: Address;
  readonly compression: 'gzip' | 'zlib' | 'none';
  /** zlib's levels, -1 to 9. */
  readonly compressionLevel: number;
  readonly retry: Retry;
}

/** When an option says nothing else: from a tenth of a second to ten, without end. */
export const patientRetry: Retry = { firstMs: 100, factor: 2, longestMs: 10_000 };
