import type { HealthcheckConfig, ImageDefaults } from '#formats/oci.ts';

import type { Config } from './config-fields.ts';

/**
 * The container's configuration with the image's defaults where the client said nothing, by Docker's rules: an own
 * entrypoint drops the image's command, `[""]` drops its entrypoint, environment and labels merge by name.
 */
export function mergeImageDefaults(config: Config, image: ImageDefaults): Config {
  const healthcheck = mergeHealthcheck(config.Healthcheck, image.Healthcheck);
  const exposedPorts = { ...image.ExposedPorts, ...config.ExposedPorts };
  const merged: Config = {
    ...config,
    ...mergeCommand(config, image),
    User: config.User || (image.User ?? ''),
    WorkingDir: config.WorkingDir || (image.WorkingDir ?? ''),
    Env: mergeEnv(config.Env ?? [], image.Env ?? []),
    Labels: { ...image.Labels, ...config.Labels },
    Volumes: { ...image.Volumes, ...config.Volumes },
    OnBuild: config.OnBuild ?? [],
  };
  const stopSignal = config.StopSignal || image.StopSignal;
  const stopTimeout = config.StopTimeout ?? image.StopTimeout;
  const shell = (config.Shell ?? []).length > 0 ? config.Shell : image.Shell;
  return {
    ...merged,
    ...(Object.keys(exposedPorts).length > 0 && { ExposedPorts: exposedPorts }),
    ...(stopSignal !== undefined && stopSignal !== '' && { StopSignal: stopSignal }),
    ...(stopTimeout !== undefined && { StopTimeout: stopTimeout }),
    ...(healthcheck !== undefined && { Healthcheck: healthcheck }),
    ...(shell !== undefined && { Shell: shell }),
  };
}

function mergeCommand(config: Config, image: ImageDefaults): Pick<Config, 'Entrypoint' | 'Cmd'> {
  const ownEntrypoint = config.Entrypoint ?? [];
  if (ownEntrypoint.length > 0) {
    const reset = ownEntrypoint.length === 1 && ownEntrypoint[0] === '';
    return { Entrypoint: reset ? [] : ownEntrypoint, Cmd: config.Cmd ?? [] };
  }
  const ownCommand = config.Cmd ?? [];
  return {
    // An empty list from the client, unlike none at all, keeps the image's entrypoint away.
    Entrypoint: config.Entrypoint === undefined ? (image.Entrypoint ?? []) : [],
    Cmd: ownCommand.length > 0 ? ownCommand : (image.Cmd ?? []),
  };
}

/** The client's variables first, then those of the image that it did not name. */
function mergeEnv(own: readonly string[], image: readonly string[]): readonly string[] {
  const named = new Set(own.map(nameOf));
  return [...own, ...image.filter((entry) => !named.has(nameOf(entry)))];
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? entry;
}

function mergeHealthcheck(own: Config['Healthcheck'], image: HealthcheckConfig | undefined): Config['Healthcheck'] {
  if (own === undefined) return image;
  if (image === undefined) return own;
  const test = (own.Test ?? []).length > 0 ? own.Test : image.Test;
  const numbers = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'] as const;
  const merged = numbers.map((name) => [name, own[name] || image[name]] as const).filter(([, value]) => value);
  return { ...(test !== undefined && { Test: test }), ...(Object.fromEntries(merged) as HealthcheckConfig) };
}
