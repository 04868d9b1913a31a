import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import {
  configKeyFaults,
  dns1035Faults,
  environmentNameFaults,
  headerNameFaults,
  labelFaults,
  labelValueFaults,
  type NameRule,
  pathSegmentFaults,
  portFaults,
  portNameFaults,
  prefixFaults,
  qualifiedNameFaults,
  subdomainFaults,
  wildcardFaults,
} from './names.ts';

const long = 'a'.repeat(64);
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const namePart =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const atMost = (count: number): string => `must be no more than ${String(count)} characters`;

/** Names that each rule takes, and what it says of others. */
const rules: readonly (readonly [NameRule, readonly string[], Readonly<Record<string, readonly string[]>>])[] = [
  [
    labelFaults,
    ['a', 'a-1', '1'],
    { A: [label], 'a\n': [label], '': [label], 'a.b': ['must not contain dots'], [long]: [atMost(63)] },
  ],
  [
    subdomainFaults,
    ['a.b-c', long],
    { a_b: [subdomain], 'a..b': [subdomain], [`${'a.'.repeat(127)}a`]: [atMost(253)] },
  ],
  [
    dns1035Faults,
    ['a-1'],
    {
      '1a': [
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
      ],
    },
  ],
  [
    wildcardFaults,
    ['*.example.com'],
    {
      '*': [
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    },
  ],
  [
    qualifiedNameFaults,
    ['a', 'A_b.c', 'example.com/A'],
    {
      '': ['name part must be non-empty', `name part ${namePart}`],
      '/a': ['prefix part must be non-empty'],
      'A/a': [`prefix part ${subdomain}`],
      '-a': [`name part ${namePart}`],
      [long]: [`name part ${atMost(63)}`],
      'a/b/c': [
        `a qualified name ${namePart} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
      ],
    },
  ],
  [
    labelValueFaults,
    ['', 'A_b.c'],
    {
      'a b': [
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      ],
      [long]: [atMost(63)],
    },
  ],
  [
    configKeyFaults,
    ['a.B_c-1', '.a'],
    {
      'a/b': [
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      ],
      '.': ["must not be '.'"],
      '..': ["must not be '..'"],
      '..a': ["must not start with '..'"],
    },
  ],
  [
    headerNameFaults,
    ['X-A'],
    {
      'a b': [
        "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
      ],
    },
  ],
  [
    environmentNameFaults,
    ['A', 'a.b-c', '1 %'],
    {
      '': ['environment variable name must be non-empty'],
      'a=b': ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
    },
  ],
  [
    pathSegmentFaults,
    ['system:node', 'a b'],
    { '.': ["may not be '.'"], 'a/%': ["may not contain '/'", "may not contain '%'"] },
  ],
  [
    portNameFaults,
    ['http', 'a-1'],
    {
      HTTP: [
        'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
        'must contain at least one letter (a-z)',
      ],
      '1--1': ['must contain at least one letter (a-z)', 'must not contain consecutive hyphens'],
      'a-': ['must not begin or end with a hyphen'],
      aaaaaaaaaaaaaaaa: [atMost(15)],
    },
  ],
];

describe('rules for names', () => {
  for (const [rule, good, bad] of rules) {
    test(rule.name, () => {
      for (const name of good) assert.deepEqual(rule(name), [], name);
      for (const [name, faults] of Object.entries(bad)) assert.deepEqual(rule(name), faults, name);
    });
  }

  test('any text is judged, and quickly', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '-', '.', '/', 'é', '\n'), maxLength: 300 }), (name) => {
        for (const [rule] of rules) for (const fault of rule(name)) assert.notEqual(fault, '');
      }),
    );
  });

  test('ports', () => {
    assert.deepEqual(portFaults(1), []);
    for (const port of [0, 65536, -1, 1.5])
      assert.deepEqual(portFaults(port), ['must be between 1 and 65535, inclusive']);
  });

  test('a prefix may end in what a name may not', () => {
    assert.deepEqual(prefixFaults(labelFaults, 'web-'), []);
    assert.deepEqual(prefixFaults(subdomainFaults, 'Web-'), [subdomain]);
  });
});
