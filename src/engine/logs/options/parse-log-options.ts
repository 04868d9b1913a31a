import { StatusError } from '#base/errors.ts';
import { parseGoBool, parseMemorySize } from '#formats/go-values.ts';

import {
  type LogConfig,
  type LogDriver,
  logDrivers,
  type LogOptions,
  type LogSettings,
  type LogTarget,
  patientRetry,
} from '../log-config.ts';
import { defaultLogLimits, jsonFileLimits, localLimits } from './file-options.ts';
import { fluentdOptionNames, fluentdTarget } from './fluentd-options.ts';
import { gelfOptionNames, gelfTarget } from './gelf-options.ts';
import { invalidOption } from './invalid-option.ts';
import { syslogOptionNames, syslogTarget } from './syslog-options.ts';

/** Those of Docker that send to clouds; they are named so that their refusal can say more. */
const cloudDrivers = ['awslogs', 'etwlogs', 'gcplogs', 'splunk'];

const fileOptionNames = ['max-size', 'max-file', 'compress'];
const attributeOptionNames = ['env', 'env-regex', 'labels', 'labels-regex', 'tag'];
/** Docker takes these for every driver. */
const commonOptionNames = [
  'mode',
  'max-buffer-size',
  'cache-disabled',
  'cache-max-size',
  'cache-max-file',
  'cache-compress',
];

/** The options that a driver has besides the common ones. */
const optionNames: Readonly<Record<LogDriver, readonly string[]>> = {
  'json-file': [...fileOptionNames, ...attributeOptionNames],
  local: fileOptionNames,
  none: [],
  syslog: [...syslogOptionNames, ...attributeOptionNames],
  journald: attributeOptionNames,
  fluentd: [...fluentdOptionNames, ...attributeOptionNames],
  gelf: [...gelfOptionNames, ...attributeOptionNames],
};

/** The driver of a name. Throws with Docker's words for an unknown one, NotSupported for one that is not carried out. */
export function parseLogDriver(name: string): LogDriver {
  const driver = logDrivers.find((one) => one === name);
  if (driver !== undefined) return driver;
  if (cloudDrivers.includes(name))
    throw new StatusError(
      'NotSupported',
      `Cannot log by the driver "${name}": it speaks to one service only; use fluentd, syslog or gelf with a collector that does`,
    );
  throw invalidOption(`logger: no log driver named '${name}' is registered`);
}

/** What the options of a log driver mean. Throws InvalidArgument with Docker's words for wrong ones. */
export function parseLogOptions({ driver, options }: LogConfig): LogSettings {
  checkNames(driver, options);
  const lagBytes = bufferOf(options);
  const target = targetOf(driver, options);
  if (target === undefined) {
    const limits =
      driver === 'none' ? defaultLogLimits : driver === 'local' ? localLimits(options, '') : jsonFileLimits(options);
    return { limits, readable: driver !== 'none' };
  }
  return {
    limits: localLimits(options, 'cache-'),
    readable: !isCacheDisabled(options),
    target,
    ...(lagBytes !== undefined && { lagBytes }),
  };
}

function targetOf(driver: LogDriver, options: LogOptions): LogTarget | undefined {
  switch (driver) {
    case 'syslog':
      return syslogTarget(options);
    case 'journald':
      return { driver, retry: patientRetry };
    case 'fluentd':
      return fluentdTarget(options);
    case 'gelf':
      return gelfTarget(options);
    default:
      return undefined;
  }
}

function checkNames(driver: LogDriver, options: LogOptions): void {
  const known = driver === 'none' ? [] : [...optionNames[driver], ...commonOptionNames];
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  if (driver === 'local') throw invalidOption(`unknown log opt '${unknown}' for log driver local`);
  const quoted = driver === 'gelf' ? JSON.stringify(unknown) : `'${unknown}'`;
  throw invalidOption(`unknown log opt ${quoted} for ${driver} log driver`);
}

/** The program never waits for a receiver, whatever the mode; a buffer size says how far sending may fall behind. */
function bufferOf(options: LogOptions): number | undefined {
  const { mode = '', 'max-buffer-size': size } = options;
  if (!['', 'blocking', 'non-blocking'].includes(mode))
    throw invalidOption(`logger: logging mode not supported: ${mode}`);
  if (size === undefined) return undefined;
  if (mode !== 'non-blocking')
    throw invalidOption("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  try {
    return parseMemorySize(size);
  } catch (error) {
    throw invalidOption(`error parsing option max-buffer-size: ${(error as Error).message}`);
  }
}

function isCacheDisabled(options: LogOptions): boolean {
  const text = options['cache-disabled'] ?? '';
  try {
    return text !== '' && parseGoBool(text);
  } catch {
    throw invalidOption(`invalid value for option cache-disabled: ${text}`);
  }
}
