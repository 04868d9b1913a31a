/** `unix` is what the C library sends to /dev/log: RFC 3164 without a hostname. */
export type SyslogFormat = 'unix' | 'rfc3164' | 'rfc5424' | 'rfc5424micro';

export interface SyslogMessage {
  /** 0 to 23 (RFC 5424, table 1). */
  readonly facility: number;
  readonly severity: number;
  readonly timeNs: bigint;
  /** Minutes that the local time is ahead of UTC. */
  readonly zoneMinutes: number;
  readonly hostname: string;
  readonly tag: string;
  readonly processId: number;
  /** Without a newline at its end. */
  readonly content: Uint8Array;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const nsPerMs = 1_000_000n;

/** A message as Docker writes it, with the newline by which stream receivers find its end. */
export function encodeSyslogMessage(format: SyslogFormat, message: SyslogMessage): Buffer {
  return Buffer.concat([Buffer.from(headOf(format, message)), message.content, Buffer.from('\n')]);
}

/** Octet counting, which RFC 5425 wants on TLS. */
export function withLength(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${String(message.length)} `), message]);
}

function headOf(format: SyslogFormat, message: SyslogMessage): string {
  const { hostname, tag } = message;
  const priority = `<${String(message.facility * 8 + message.severity)}>`;
  const processId = String(message.processId);
  switch (format) {
    case 'unix':
      return `${priority}${stamp(message)} ${tag}[${processId}]: `;
    case 'rfc3164':
      return `${priority}${stamp(message)} ${hostname} ${tag}[${processId}]: `;
    case 'rfc5424':
      return `${priority}1 ${isoTime(message, '')} ${hostname} ${tag} ${processId} ${tag} - `;
    default:
      return `${priority}1 ${isoTime(message, micros(message))} ${hostname} ${tag} ${processId} ${tag} - `;
  }
}

/** `Nov  3 07:05:09`, local time (RFC 3164, section 4.1.2). */
function stamp(message: SyslogMessage): string {
  const iso = localIso(message);
  const day = String(Number(iso.slice(8, 10))).padStart(2);
  return `${months[Number(iso.slice(5, 7)) - 1] ?? ''} ${day} ${iso.slice(11, 19)}`;
}

/** RFC 3339, local time with its offset; `Z` for UTC. */
function isoTime(message: SyslogMessage, fraction: string): string {
  return `${localIso(message).slice(0, 19)}${fraction}${offsetText(message.zoneMinutes)}`;
}

function offsetText(zoneMinutes: number): string {
  if (zoneMinutes === 0) return 'Z';
  const minutes = Math.abs(zoneMinutes);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${zoneMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function micros({ timeNs }: SyslogMessage): string {
  return `.${String((timeNs / 1000n) % 1_000_000n).padStart(6, '0')}`;
}

function localIso({ timeNs, zoneMinutes }: SyslogMessage): string {
  return new Date(Number(timeNs / nsPerMs) + zoneMinutes * 60_000).toISOString();
}
