import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { inRuncsWords, lastRuntimeError, lastWords, startFailure } from './start-failure.ts';

test('what runc says becomes what Docker says, with the exit code of shells', () => {
  const said: readonly (readonly [string, number])[] = [
    ['exec: "nope": executable file not found in $PATH', 127],
    ['exec: "/nope": stat /nope: no such file or directory', 127],
    ['exec: "/etc/passwd": permission denied', 126],
    ['exec: "/etc": is a directory', 126],
    ['error mounting "/a" to rootfs at "/b": not a directory', 127],
    ['error mounting "/a" to rootfs at "/b": no such file or directory', 128],
    ['cannot allocate memory', 128],
  ];
  for (const [text, code] of said) {
    const message = `runc create failed: unable to start container process: ${text}`;
    const failure = startFailure('create', message);
    assert.equal(failure.exitCode, code, text);
    assert.ok(
      failure.message.startsWith(
        `failed to create task for container: failed to create shim task: OCI runtime create failed: ${message}: unknown`,
      ),
    );
  }
  assert.match(startFailure('exec', 'exec failed: x').message, /^OCI runtime exec failed: exec failed: x: unknown$/);
});

test("crun's words become runc's, and what they do not share stays", () => {
  const quoted = (name: string, what: string): string =>
    `crun create failed: unable to start container process: exec: "${name}": ${what}`;
  const said: readonly (readonly [string, string])[] = [
    [
      'executable file `nope` not found in $PATH: No such file or directory',
      quoted('nope', 'executable file not found in $PATH'),
    ],
    [
      'executable file `/nope` not found: No such file or directory',
      quoted('/nope', 'stat /nope: no such file or directory'),
    ],
    [
      'executable file `/a/b` not found in $PATH: No such file or directory',
      quoted('/a/b', 'stat /a/b: no such file or directory'),
    ],
    ['open executable: Permission denied', quoted('/etc/passwd', 'permission denied')],
    ['open executable: Operation not permitted', quoted('/etc/passwd', 'permission denied')],
    ['mount `x` to `y`: No such file or directory', 'mount `x` to `y`: no such file or directory'],
    ['setresuid: Invalid argument', 'setresuid: invalid argument'],
  ];
  for (const [text, words] of said) assert.equal(inRuncsWords('create', text, '/etc/passwd'), words);
  const folder = inRuncsWords('exec', 'chdir `/a`: No such file or directory', 'ls');
  assert.equal(
    folder,
    'exec failed: unable to start container process: chdir to cwd ("/a") set in config.json failed: no such file or directory',
  );
  assert.equal(startFailure('exec', folder).exitCode, 127);
});

test('the last error of a log counts', () => {
  const log = [
    '{"level":"error","msg":"first","time":"2026-11-22T10:00:00Z"}',
    '{"level":"error","msg":"last","time":"2026-11-22T10:00:01Z"}',
    '{"level":"warning","msg":"later","time":"2026-11-22T10:00:02Z"}',
    '{"level":"err',
  ].join('\n');
  assert.equal(lastRuntimeError(log), 'last');
  for (const text of ['', 'panic: x', '[]', '{"level":"error"}']) assert.equal(lastRuntimeError(text), undefined);
  fc.assert(
    fc.property(fc.string(), (text) => {
      lastRuntimeError(text);
    }),
    { numRuns: 100 },
  );
});

test('without a log the first printed line counts', () => {
  assert.equal(lastWords('\nruntime: out of memory\ngoroutine 1\n'), 'runtime: out of memory');
  assert.equal(lastWords(' \n'), 'the runtime ended without a word');
});
