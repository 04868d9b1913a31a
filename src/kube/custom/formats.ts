import { isIP, isIPv4, isIPv6 } from 'node:net';

import { goDurationNs } from '#formats/go-duration.ts';

import { parseTime } from '../codec/go-time.ts';

/** Formats of text that upstream knows (kube-openapi, strfmt); others are taken as they are. */
const checks: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  uri: (text) => isUri(text),
  email: (text) => /^[^\s@<>"]+@[^\s@<>"]+$/.test(text),
  hostname: (text) =>
    text.length <= 255 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: (text) => isPrefix(text),
  mac: (text) => /^(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4,6}[0-9a-f]{2}$/i.test(text),
  uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid3: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid4: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  uuid5: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  hexcolor: (text) => /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(text),
  rgbcolor: (text) => /^rgb\((?:\s*(?:[01]?[0-9]?[0-9]|2[0-4][0-9]|25[0-5])\s*(?:,(?!\))|(?=\)))){3}\)$/.test(text),
  byte: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
  password: () => true,
  date: (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && 'text' in parseTime(`${text}T00:00:00Z`, 'time'),
  duration: (text) => goDurationNs(text.replaceAll(/\s/g, '')) !== undefined,
  'date-time': (text) => isDateTime(text),
  datetime: (text) => isDateTime(text),
  'k8s-short-name': (text) => text.length <= 63 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(text),
  'k8s-long-name': (text) =>
    text.length <= 253 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(text),
};

export function hasFormat(text: string, format: string): boolean {
  return !Object.hasOwn(checks, format) || checks[format]?.(text) === true;
}

function isUri(text: string): boolean {
  return URL.canParse(text) || (text.startsWith('/') && !/\s/.test(text));
}

function isPrefix(text: string): boolean {
  const [, address = '', bits = ''] = /^(.+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128);
}

function isDateTime(text: string): boolean {
  return 'text' in parseTime(text.toUpperCase().replace(' ', 'T'), 'time');
}
