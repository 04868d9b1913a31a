import { emptyObject, flag, integer, listOf, mapOf, objectOf, text, textOrList } from '../http/decode.ts';
import type { FieldTable, ValuesOf } from './field.ts';
import { mapped, refused } from './field.ts';

const texts = listOf(text);
const set = mapOf(emptyObject, {});

const healthcheck = objectOf({
  Test: texts,
  Interval: integer,
  Timeout: integer,
  StartPeriod: integer,
  StartInterval: integer,
  Retries: integer,
});

/** Config of a create request, API 1.54: every field, and what becomes of it. */
export const configFields = {
  Hostname: mapped(text, ''),
  Domainname: mapped(text, ''),
  User: mapped(text, ''),
  // What the client that created it attached to; shown, and of no effect, as in Docker.
  AttachStdin: mapped(flag, false),
  AttachStdout: mapped(flag, false),
  AttachStderr: mapped(flag, false),
  ExposedPorts: mapped(set, undefined),
  Tty: mapped(flag, false),
  OpenStdin: mapped(flag, false),
  StdinOnce: mapped(flag, false),
  Env: mapped(texts, []),
  Cmd: mapped(textOrList, null),
  Healthcheck: mapped(healthcheck, undefined),
  ArgsEscaped: refused(flag, undefined, (value) => !value, 'it means something on Windows only; leave it away'),
  Image: mapped(text, ''),
  Volumes: mapped(set, null),
  WorkingDir: mapped(text, ''),
  Entrypoint: mapped(textOrList, null),
  NetworkDisabled: mapped(flag, undefined),
  MacAddress: mapped(text, undefined),
  // Shown only: triggers belong to images, and to what is committed of the container.
  OnBuild: mapped(texts, null),
  Labels: mapped(mapOf(text, ''), {}),
  StopSignal: mapped(text, undefined),
  StopTimeout: mapped(integer, undefined),
  // Of health checks in shell form.
  Shell: mapped(textOrList, undefined),
} as const satisfies FieldTable;

const ipamFields = objectOf({ IPv4Address: text, IPv6Address: text, LinkLocalIPs: texts });

/** EndpointSettings of a create or connect request, API 1.54; what only a running endpoint has is ignored, as in Docker. */
export const endpointFields = {
  IPAMConfig: mapped(ipamFields, null),
  Links: mapped(texts, null),
  Aliases: mapped(texts, null),
  MacAddress: mapped(text, ''),
  DriverOpts: mapped(mapOf(text, ''), null),
  GwPriority: mapped(integer, 0),
} as const satisfies FieldTable;

export type Config = ValuesOf<typeof configFields>;
export type EndpointSettings = ValuesOf<typeof endpointFields>;
