import { hostname } from 'node:os';

import { shortId } from '#base/ids.ts';
import { renderGoTemplate, type TemplateFields } from '#formats/logs/go-template.ts';

import { invalidOption } from './options/invalid-option.ts';
import type { LogConfig, LogOptions } from './log-config.ts';

/** What log lines can say of the container they come from. */
export interface LogOrigin {
  readonly id: string;
  readonly name: string;
  readonly imageId: string;
  readonly imageName: string;
  readonly args: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly log: LogConfig;
}

/** What Docker's daemon calls itself in tags; filters of receivers look for it. */
const daemonName = 'docker';
const defaultTag = '{{.ID}}';

/** The tag of a container's lines, `{{.ID}}` unless options say another. Throws InvalidArgument for a bad template. */
export function logTag(origin: LogOrigin): string {
  return renderGoTemplate(origin.log.options['tag'] || defaultTag, tagFields(origin));
}

/** The labels and variables that the options `labels`, `labels-regex`, `env` and `env-regex` choose. Throws InvalidArgument. */
export function logAttributes({ labels, env, log: { options } }: LogOrigin): Readonly<Record<string, string>> {
  const variables = Object.fromEntries(
    env
      .filter((pair) => pair.includes('='))
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  return { ...chosen(labels, 'labels', options), ...chosen(variables, 'env', options) };
}

/** What `logs --details` shows: the attributes, and the tag when the user gave one. */
export function shownAttributes(origin: LogOrigin): Readonly<Record<string, string>> {
  const isTagged = (origin.log.options['tag'] ?? '') !== '';
  return { ...logAttributes(origin), ...(isTagged && { tag: logTag(origin) }) };
}

function chosen(values: Readonly<Record<string, string>>, option: 'labels' | 'env', options: LogOptions): object {
  const names = (options[option] ?? '').split(',');
  const pattern = patternOf(`${option}-regex`, options);
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name) || pattern?.test(name)));
}

function patternOf(option: string, options: LogOptions): RegExp | undefined {
  const text = options[option] ?? '';
  if (text === '') return undefined;
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw invalidOption(`error parsing regexp in ${option}: ${(error as Error).message}`);
  }
}

/** Fields and methods of Docker's logger.Info. */
function tagFields(origin: LogOrigin): TemplateFields {
  const { id, name, imageId, imageName, args, createdAt, env, labels } = origin;
  return {
    ID: shortId(id),
    FullID: id,
    Name: name,
    // As Docker has it: the first twelve letters, `sha256:` among them.
    ImageID: imageId.slice(0, 12),
    ImageFullID: imageId,
    ImageName: imageName,
    DaemonName: daemonName,
    Command: args.join(' '),
    Hostname: hostname(),
    ContainerID: id,
    ContainerName: `/${name}`,
    ContainerEntrypoint: args[0] ?? '',
    ContainerArgs: args.slice(1),
    ContainerImageID: imageId,
    ContainerImageName: imageName,
    ContainerCreated: createdAt,
    ContainerEnv: env,
    ContainerLabels: labels,
    Config: origin.log.options,
    ExtraAttributes: (_keyMod) => ({ ...logAttributes(origin) }),
  };
}
