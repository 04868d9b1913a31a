import { parseGoBool } from '#formats/go-values.ts';

import { type LogOptions, patientRetry, type SyslogTarget } from '../log-config.ts';
import { parseAddress } from './address.ts';
import { invalidOption } from './invalid-option.ts';

export const syslogOptionNames = [
  'syslog-address',
  'syslog-facility',
  'syslog-format',
  'syslog-tls-ca-cert',
  'syslog-tls-cert',
  'syslog-tls-key',
  'syslog-tls-skip-verify',
];

const defaultPort = 514;
/** By their numbers (RFC 5424, table 1); 12 to 15 have no names in Docker. */
const facilities: readonly string[] = [
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp'.split(' '),
  ['', '', '', ''],
  'local0 local1 local2 local3 local4 local5 local6 local7'.split(' '),
].flat();
const daemonFacility = 3;
const formats: Readonly<Record<string, SyslogTarget['format']>> = {
  '': 'unix',
  rfc3164: 'rfc3164',
  rfc5424: 'rfc5424',
  rfc5424micro: 'rfc5424micro',
};

export function syslogTarget(options: LogOptions): SyslogTarget {
  const format = formats[options['syslog-format'] ?? ''];
  if (format === undefined) throw invalidOption('Invalid syslog format');
  return {
    driver: 'syslog',
    address: addressOf(options['syslog-address'] ?? ''),
    facility: facilityOf(options['syslog-facility'] ?? ''),
    format,
    tls: {
      ca: options['syslog-tls-ca-cert'] ?? '',
      certificate: options['syslog-tls-cert'] ?? '',
      key: options['syslog-tls-key'] ?? '',
      // Docker skips it for any value, `false` too; that is no way to ask for safety.
      skipVerify: parseGoBool(options['syslog-tls-skip-verify'] ?? 'false'),
    },
    retry: patientRetry,
  };
}

function addressOf(text: string): SyslogTarget['address'] {
  if (text === '') return undefined;
  const address = text.startsWith('tls://') ? undefined : parseAddress(text, defaultPort);
  if (address === undefined) throw invalidOption(`syslog-address should be in form proto://address, got ${text}`);
  return address;
}

function facilityOf(text: string): number {
  if (text === '') return daemonFacility;
  const number = /^\d{1,2}$/.test(text) ? Number(text) : facilities.indexOf(text);
  if (number < 0 || number >= facilities.length) throw invalidOption('invalid syslog facility');
  return number;
}
