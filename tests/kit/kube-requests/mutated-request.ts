import * as fc from 'fast-check';

import type { ApiRequest } from './api-request.ts';

type Change = (request: ApiRequest) => ApiRequest;

/** A request that was valid, and in which one to three things are wrong. */
export function mutatedRequest(valid: readonly ApiRequest[]): fc.Arbitrary<ApiRequest> {
  const changes = fc.array(fc.oneof({ weight: 6, arbitrary: bodyChange }, ...others), { minLength: 1, maxLength: 3 });
  return fc
    .tuple(fc.constantFrom(...valid), changes)
    .map(([request, list]) => list.reduce((made, change) => change(made), request));
}

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

/** Instead of a value of a body, as it is in the text. */
const oddValues: readonly string[] = [
  'null',
  '0',
  '-1',
  '1.5',
  '1e999',
  '-0',
  '99999999999999999999',
  '9223372036854775808',
  '2147483648',
  'true',
  '""',
  '[]',
  '{}',
  '"a"',
  '["a",1,null]',
  '{"a":{"b":null}}',
  '"\\u0000"',
  '"\\ud800"',
  '"\uffff"',
  '[[]]',
  '{"__proto__":{"a":1}}',
  '{"constructor":"x"}',
  '"../../x"',
  '"a/b"',
  '"%s%n"',
  '{"":""}',
  '[{}]',
  '[null]',
  '{"$patch":"delete"}',
  '{"$patch":"replace"}',
  '[{"$patch":"merge"}]',
  '{"$setElementOrder/x":[1]}',
  '{"f:a":{}}',
  '"*"',
  '"^(a+)+$"',
  '"self.all(x, x)"',
  '"1Ei"',
  '"1e1000000000"',
  '"-5m"',
  `"${'a'.repeat(100_000)}"`,
  `"${'a'.repeat(40)}!"`,
  `${'['.repeat(900)}${']'.repeat(900)}`,
  '{"a":'.repeat(2000) + '1' + '}'.repeat(2000),
  `[${'1,'.repeat(20_000)}1]`,
  `{${Array.from({ length: 3000 }, (_, index) => `"k${String(index)}":"v"`).join(',')}}`,
];

const oddBytes: readonly Buffer[] = [
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xef, 0xbb, 0xbf]),
  Buffer.from([0]),
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]),
  Buffer.from('&a [*a, *a]'),
  Buffer.from('<<: {a: b}'),
  Buffer.from('!!binary "x"'),
  Buffer.from('\n---\n'),
  Buffer.from(','),
  Buffer.from('}'),
  Buffer.from('"'),
  Buffer.alloc(5000, '['),
  Buffer.alloc(5000, '- '),
];

/** In JSON a value becomes another, goes, or is there twice; in any body bytes change. */
const bodyChange: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(place, fc.constantFrom(...oddValues)).map(([at, value]) => changedValue(at, () => value)),
  fc.tuple(place, fc.constantFrom(...oddValues)).map(([at, value]) => changedField(at, (name) => `${name}:${value}`)),
  place.map((at) => changedField(at, () => '')),
  fc
    .tuple(place, fc.constantFrom(...oddValues))
    .map(([at, value]) => changedField(at, (name, text) => `${text},${name}:${value}`)),
  fc
    .tuple(place, fc.nat(20), fc.oneof(fc.constantFrom(...oddBytes), fc.uint8Array({ maxLength: 4 })))
    .map(([at, drop, bytes]) => changedBytes(at, drop, bytes)),
  place.map((at) => changedBytes(at, Infinity, Buffer.alloc(0))),
  fc.constantFrom(Buffer.alloc(0), Buffer.alloc(3 * 1024 * 1024 + 1, ' '), Buffer.from('k8s\0')).map(
    (body): Change =>
      (request) =>
        request.body === undefined ? request : { ...request, body },
  ),
);

const oddTexts = fc.oneof(
  fc.constantFrom(
    '',
    '-1',
    '0',
    '1',
    '99999999999999999999',
    'true',
    'false',
    'All',
    'maybe',
    'a=b',
    'a in (b',
    '(((',
    '!',
  ),
  fc.constantFrom(
    'a=b,,c',
    'metadata.name=x',
    'spec.nodeName!=',
    'Exact',
    'NotOlderThan',
    'Strict',
    'Foreground',
    '\0',
  ),
  fc.constantFrom(
    'eyJhIjoxfQ',
    '%',
    '\ud800',
    'x'.repeat(5000),
    `a in (${'b,'.repeat(2000)}c)`,
    `${'a,'.repeat(2000)}a`,
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const parameters = fc.constantFrom(
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'labelSelector',
  'fieldSelector',
  'watch',
  'timeoutSeconds',
  'sendInitialEvents',
  'allowWatchBookmarks',
  'dryRun',
  'fieldManager',
  'fieldValidation',
  'force',
  'propagationPolicy',
  'gracePeriodSeconds',
  'orphanDependents',
  'pretty',
  'includeObject',
  'tailLines',
  'sinceTime',
  '__proto__',
  'constructor',
  '',
);

const queryChange: fc.Arbitrary<Change> = fc
  .tuple(parameters, oddTexts, fc.boolean())
  .map(([name, value, isExtra]): Change => (request) => {
    const [path = '', search = ''] = request.target.split('?');
    const query = new URLSearchParams(search);
    if (isExtra) query.append(name, value);
    else query.set(name, value);
    return { ...request, target: bounded(`${path}?${query.toString()}`) };
  });

const oddSegments = fc.oneof(
  fc.constantFrom(
    '',
    '..',
    '.',
    '%',
    '%ff',
    '%00',
    '%2f',
    '%2e%2e',
    'a%2fb',
    '*',
    '__proto__',
    'constructor',
    'status',
    'scale',
  ),
  fc.constantFrom('watch', 'namespaces', 'v1', 'apps', 'x'.repeat(1000), '~', ';a=b', 'A_B', '%F0%9F%92%A9'),
);
const pathChange: fc.Arbitrary<Change> = fc
  .tuple(place, oddSegments, fc.boolean())
  .map(([at, segment, isExtra]): Change => (request) => {
    const [path = '', search] = request.target.split('?');
    const parts = path.split('/');
    parts.splice(1 + Math.floor(at * parts.length), isExtra ? 0 : 1, segment);
    const joined = parts.join('/');
    return { ...request, target: bounded(search === undefined ? joined : `${joined}?${search}`) };
  });

const oddHeaders = fc.oneof(
  fc.tuple(
    fc.constant('content-type'),
    fc.constantFrom(
      '',
      'text/plain',
      'application/json;',
      'application/json; charset=utf-16',
      'application/cbor',
      ';;',
      '*/*',
      'application/yaml',
      'application/vnd.kubernetes.protobuf',
      'application/apply-patch+yaml',
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/strategic-merge-patch+json',
      '__proto__',
      'multipart/form-data; boundary=x',
    ),
  ),
  fc.tuple(
    fc.constant('accept'),
    fc.constantFrom(
      '',
      '*/*',
      'text/html',
      'application/vnd.kubernetes.protobuf',
      'application/json;as=Table',
      'application/json;as=Nothing;v=v9;g=x',
      'application/json;q=nan',
      ';;;,,,',
      'application/yaml',
      'application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io',
    ),
  ),
  fc.tuple(
    fc.constantFrom('authorization', 'impersonate-user', 'impersonate-group', 'impersonate-extra-x', 'impersonate-uid'),
    fc.constantFrom(
      '',
      'Bearer',
      'Bearer a.b.c',
      'Basic YTpi',
      'system:anonymous',
      'jane',
      'system:masters',
      '%zz',
      'x'.repeat(3000),
    ),
  ),
  fc.tuple(
    fc.constantFrom(
      'content-encoding',
      'accept-encoding',
      'expect',
      'if-none-match',
      'if-match',
      'range',
      'user-agent',
      'x-http-method-override',
    ),
    fc.constantFrom('', 'gzip', 'br', 'identity', '*', 'bytes=0-', 'DELETE', '"x"', 'a'.repeat(2000)),
  ),
);
const headerChange: fc.Arbitrary<Change> = oddHeaders.map(([name, value]): Change => (request) => ({
  ...request,
  headers: { ...request.headers, [name]: value },
}));

const methodChange: fc.Arbitrary<Change> = fc
  .constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND')
  .map((method): Change => (request) => ({ ...request, method }));

const others = [
  { weight: 3, arbitrary: queryChange },
  { weight: 2, arbitrary: pathChange },
  { weight: 2, arbitrary: headerChange },
  { weight: 1, arbitrary: methodChange },
];

/** What Node's own clients send of a target; more than a server's head takes is a test of Node. */
const targetLengthMost = 8000;

function bounded(target: string): string {
  return target.slice(0, targetLengthMost);
}

function changedBytes(at: number, drop: number, insert: Uint8Array): Change {
  return (request) => {
    if (request.body === undefined) return request;
    const start = Math.floor(at * request.body.length);
    const rest = drop === Infinity ? Buffer.alloc(0) : request.body.subarray(start + drop);
    return { ...request, body: Buffer.concat([request.body.subarray(0, start), insert, rest]) };
  };
}

/** A field with a plain value, or one whose value is a list or map without any inside. */
const fieldPattern = /("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|[-\w.+]+|\{[^{}[\]]*\}|\[[^{}[\]]*\])/g;

function changedField(at: number, change: (name: string, whole: string) => string): Change {
  return (request) => {
    const text = request.body?.toString('latin1') ?? '';
    const found = [...text.matchAll(fieldPattern)];
    const match = found[Math.floor(at * found.length)];
    if (match === undefined) return request;
    const [whole, name = ''] = match;
    const made = text.slice(0, match.index) + change(name, whole) + text.slice(match.index + whole.length);
    return { ...request, body: Buffer.from(made, 'latin1') };
  };
}

/** Any value, also a whole subtree. */
function changedValue(at: number, change: () => string): Change {
  return (request) => {
    const text = request.body?.toString('latin1') ?? '';
    const starts = [...text.matchAll(/[:[,]\s*(?=["{[\w-])/g)];
    const start = starts[Math.floor(at * starts.length)];
    if (start === undefined) return request;
    const from = start.index + start[0].length;
    const made = text.slice(0, from) + change() + text.slice(endOfValue(text, from));
    return { ...request, body: Buffer.from(made, 'latin1') };
  };
}

function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let index = from; index < text.length; index += 1) {
    const letter = text[index] ?? '';
    if (letter === '"') {
      for (index += 1; index < text.length && text[index] !== '"'; index += 1) if (text[index] === '\\') index += 1;
      if (depth === 0) return index + 1;
    } else if ('{['.includes(letter)) depth += 1;
    else if ('}]'.includes(letter)) {
      if (depth === 0) return index;
      depth -= 1;
      if (depth === 0) return index + 1;
    } else if (depth === 0 && ',\n'.includes(letter)) return index;
  }
  return text.length;
}
