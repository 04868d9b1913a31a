import type { LogConfig, LogOptions } from '#engine/logs/log-config.ts';
import { parseLogDriver, parseLogOptions } from '#engine/logs/options/parse-log-options.ts';

import type { HostConfig } from './host-config-fields.ts';

/** Options on the local copy of a log hold for every driver that sends it elsewhere, as in Docker. */
const copyOption = /^cache-/;

/** The log driver and its options, the daemon's where none are named. Throws with Docker's words for wrong ones. */
export function logConfig(requested: NonNullable<HostConfig['LogConfig']>, defaults: LogConfig): LogConfig {
  const driver = parseLogDriver(requested.Type || defaults.driver);
  const config = { driver, options: { ...inherited(driver, defaults), ...requested.Config } };
  parseLogOptions(config);
  return config;
}

function inherited(driver: LogConfig['driver'], defaults: LogConfig): LogOptions {
  if (driver === defaults.driver) return defaults.options;
  if (driver === 'none') return {};
  return Object.fromEntries(Object.entries(defaults.options).filter(([name]) => copyOption.test(name)));
}
