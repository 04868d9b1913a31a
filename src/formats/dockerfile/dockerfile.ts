/** Lines of the Dockerfile that something came from, counted from 1, both inclusive. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

export type EscapeCharacter = '\\' | '`';

/** A parsed Dockerfile. Words are as written: variables are expanded when an instruction is carried out. */
export interface Dockerfile {
  /** The file it came from, for messages. */
  readonly source: SourceFile;
  readonly escape: EscapeCharacter;
  /** `# syntax=`, noted and without effect: this parser is the only front end; `# check=`, which `lint/` heeds. */
  readonly directives: Readonly<Record<string, string>>;
  /** `ARG` before the first `FROM`: visible to `FROM` lines only. */
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  readonly warnings: readonly DockerfileWarning[];
}

export interface SourceFile {
  readonly name: string;
  readonly lines: readonly string[];
}

export interface DockerfileWarning {
  readonly line: number;
  readonly text: string;
}

/** What begins with `FROM`. */
export interface Stage {
  readonly index: number;
  /** Lower case; '' when it has none. */
  readonly name: string;
  readonly base: string;
  /** `--platform` as written; '' when not given. */
  readonly platform: string;
  readonly at: LineRange;
  readonly code: string;
  readonly instructions: readonly Instruction[];
}

interface Common {
  readonly at: LineRange;
  /** The instruction as written, continuation lines joined. */
  readonly code: string;
}

export interface Pair {
  readonly name: string;
  readonly value: string;
}

/** A here-document of RUN, or an inline file of COPY and ADD. */
export interface Heredoc {
  readonly name: string;
  /** Without the leading tabs when it was opened by `<<-`. */
  readonly content: string;
  /** Whether variables in it are expanded (its name was not quoted). */
  readonly expand: boolean;
}

/** The command of RUN, CMD, ENTRYPOINT: for the shell, or `exec` (JSON) form. */
interface CommandLine {
  readonly form: 'shell' | 'exec';
  /** One whole line in shell form. */
  readonly args: readonly string[];
}

/** What COPY and ADD have in common. */
interface Transfer extends Common {
  readonly sources: readonly string[];
  readonly inlineFiles: readonly Heredoc[];
  readonly destination: string;
  readonly chown: string;
  readonly chmod: string;
  readonly link: boolean;
  readonly exclude: readonly string[];
}

export interface CopyInstruction extends Transfer {
  readonly kind: 'copy';
  /** A stage's name or index, or an image; '' = the build context. */
  readonly from: string;
  readonly parents: boolean;
}

export interface AddInstruction extends Transfer {
  readonly kind: 'add';
  readonly checksum: string;
  readonly keepGitDir: boolean;
  /** undefined: local archives only. */
  readonly unpack: boolean | undefined;
}

export interface ArgInstruction extends Common {
  readonly kind: 'arg';
  readonly args: readonly { readonly name: string; readonly value: string | undefined }[];
}

export interface RunInstruction extends Common {
  readonly kind: 'run';
  readonly command: CommandLine;
  readonly heredocs: readonly Heredoc[];
  /** Values of `--mount` as written; see parseRunMount. */
  readonly mounts: readonly string[];
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
  readonly devices: readonly string[];
}

export interface CommandInstruction extends Common {
  readonly kind: 'cmd' | 'entrypoint';
  readonly command: CommandLine;
}

export interface PairsInstruction extends Common {
  readonly kind: 'env' | 'label';
  readonly pairs: readonly Pair[];
}

/** Durations are nanoseconds, 0 = not given. */
export interface HealthcheckInstruction extends Common {
  readonly kind: 'healthcheck';
  readonly test: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

export interface ListInstruction extends Common {
  readonly kind: 'expose' | 'volume' | 'shell';
  readonly values: readonly string[];
}

export interface TextInstruction extends Common {
  readonly kind: 'maintainer' | 'stopsignal' | 'user' | 'workdir' | 'onbuild';
  readonly value: string;
}

export type Instruction =
  | AddInstruction
  | ArgInstruction
  | CommandInstruction
  | CopyInstruction
  | HealthcheckInstruction
  | ListInstruction
  | PairsInstruction
  | RunInstruction
  | TextInstruction;
