import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import type { Instruction } from './dockerfile.ts';
import { parseDockerfile, parseTrigger } from './parse-dockerfile.ts';

/** The only instruction behind a FROM line, without its place. */
function one(text: string): unknown {
  const { stages } = parseDockerfile(`FROM scratch\n${text}`);
  assert.equal(stages[0]?.instructions.length, 1);
  const [{ at, code, ...rest }] = stages[0].instructions as [Instruction];
  assert.ok(at.start === 2 && code !== '');
  return rest;
}

function refuse(text: string, message: RegExp, place: string): void {
  assert.throws(
    () => parseDockerfile(text),
    (error) => {
      assert.ok(error instanceof StatusError, String(error));
      assert.equal(error.reason, 'InvalidArgument');
      assert.match(error.message, message);
      assert.equal(error.problems[0]?.path, place);
      return true;
    },
  );
}

describe('stages', () => {
  test('global arguments, names and platforms', () => {
    const file = parseDockerfile(
      'ARG V=12 W\nfrom --platform=$P debian:$V As Build\nRUN a\nFROM build\nFROM scratch AS last\n',
    );
    assert.deepEqual(file.globalArgs[0]?.args, [
      { name: 'V', value: '12' },
      { name: 'W', value: undefined },
    ]);
    assert.deepEqual(
      file.stages.map(({ index, name, base, platform, at }) => [index, name, base, platform, at.start]),
      [
        [0, 'build', 'debian:$V', '$P', 2],
        [1, '', 'build', '', 4],
        [2, 'last', 'scratch', '', 5],
      ],
    );
  });

  test('directives', () => {
    const file = parseDockerfile(
      '\ufeff# syntax = docker/dockerfile:1\n# ESCAPE=`\n# check=skip=all\nFROM a\nRUN x `\n y\n',
    );
    assert.equal(file.escape, '`');
    assert.deepEqual(file.directives, { syntax: 'docker/dockerfile:1', escape: '`', check: 'skip=all' });
    assert.deepEqual(
      file.stages[0]?.instructions.map(({ code }) => code),
      ['RUN x  y'],
    );
    assert.equal(parseDockerfile('# a comment\n# escape=`\nFROM a').escape, '\\', 'a comment ends the directives');
    assert.equal(parseDockerfile('\n# escape=`\nFROM a').escape, '\\', 'so does an empty line');
    refuse('# escape=x\nFROM a', /invalid escape token 'x'/, 'Dockerfile:1');
    refuse('# escape=`\n# escape=`\nFROM a', /only one escape parser directive/, 'Dockerfile:2');
  });

  test('continuations, comments in them, empty lines in them', () => {
    const file = parseDockerfile('FROM a\nRUN one \\\n  # comment\n\n  two \\  \n\tthree\nRUN four\\\\\nCMD x\\');
    assert.deepEqual(
      file.stages[0]?.instructions.map(({ code, at }) => [code, at.start, at.end]),
      [
        ['RUN one   two \tthree', 2, 6],
        ['RUN four\\\\', 7, 7],
        ['CMD x', 8, 8],
      ],
    );
    assert.deepEqual(file.warnings, [{ line: 4, text: 'Empty continuation line found in: RUN one   two \tthree' }]);
  });

  test('windows line ends', () => {
    const file = parseDockerfile('FROM a\r\nRUN b \\\r\n c\r\n');
    assert.equal(file.stages[0]?.instructions[0]?.code, 'RUN b  c');
  });
});

describe('instructions', () => {
  const table: readonly (readonly [string, unknown])[] = [
    ['ENV A=1 B="two words" C=x\\ y', { kind: 'env', pairs: [['A', '1'], ['B', '"two words"'], ['C', 'x\\ y']] }],
    ['ENV A all the  rest', { kind: 'env', pairs: [['A', 'all the  rest']] }],
    ['LABEL "a b"="c d"', { kind: 'label', pairs: [['"a b"', '"c d"']] }],
    ['EXPOSE 80 443/tcp $P', { kind: 'expose', values: ['80', '443/tcp', '$P'] }],
    ['VOLUME /a /b', { kind: 'volume', values: ['/a', '/b'] }],
    ['VOLUME ["/a b"]', { kind: 'volume', values: ['/a b'] }],
    ['SHELL ["/bin/bash", "-c"]', { kind: 'shell', values: ['/bin/bash', '-c'] }],
    ['USER app:app', { kind: 'user', value: 'app:app' }],
    ['WORKDIR /with space', { kind: 'workdir', value: '/with space' }],
    ['STOPSIGNAL SIGINT', { kind: 'stopsignal', value: 'SIGINT' }],
    ['MAINTAINER Some One <a@b>', { kind: 'maintainer', value: 'Some One <a@b>' }],
    ['ONBUILD RUN make', { kind: 'onbuild', value: 'RUN make' }],
    ['CMD echo "hi"', { kind: 'cmd', command: { form: 'shell', args: ['echo "hi"'] } }],
    ['CMD ["echo", "hi"]', { kind: 'cmd', command: { form: 'exec', args: ['echo', 'hi'] } }],
    ['CMD []', { kind: 'cmd', command: { form: 'exec', args: [] } }],
    ['CMD [ "unclosed"', { kind: 'cmd', command: { form: 'shell', args: ['[ "unclosed"'] } }],
    ['ENTRYPOINT ["/x"]', { kind: 'entrypoint', command: { form: 'exec', args: ['/x'] } }],
    ['ARG A B=1 C=', { kind: 'arg', args: [{ name: 'A', value: undefined }, { name: 'B', value: '1' }, { name: 'C', value: '' }] }],
  ]; // prettier-ignore
  for (const [text, expected] of table)
    test(text, () => {
      const found = one(text) as Record<string, unknown>;
      const pairs = found['pairs'] as readonly { name: string; value: string }[] | undefined;
      assert.deepEqual(
        pairs === undefined ? found : { ...found, pairs: pairs.map(({ name, value }) => [name, value]) },
        expected,
      );
    });

  test('COPY with all its flags', () => {
    const flags = '--from=build --chown=a:b --chmod=0644 --link --parents --exclude=*.md --exclude=x';
    assert.deepEqual(one(`COPY ${flags} a b /c/`), {
      kind: 'copy',
      from: 'build',
      parents: true,
      sources: ['a', 'b'],
      inlineFiles: [],
      destination: '/c/',
      chown: 'a:b',
      chmod: '0644',
      link: true,
      exclude: ['*.md', 'x'],
    });
    assert.deepEqual((one('COPY ["a b", "/c d/"]') as { sources: unknown }).sources, ['a b']);
  });

  test('ADD with all its flags', () => {
    const found = one('ADD --checksum=sha256:0 --keep-git-dir=true --unpack=false https://a/b /c') as Record<
      string,
      unknown
    >;
    assert.deepEqual([found['checksum'], found['keepGitDir'], found['unpack']], ['sha256:0', true, false]);
  });

  test('RUN with all its flags', () => {
    const found = one(
      'RUN --mount=type=cache,target=/x --mount=target=/y --network=none --security=insecure make -j 2',
    );
    assert.deepEqual(found, {
      kind: 'run',
      command: { form: 'shell', args: ['make -j 2'] },
      heredocs: [],
      mounts: ['type=cache,target=/x', 'target=/y'],
      network: 'none',
      security: 'insecure',
      devices: [],
    });
    assert.deepEqual((one('RUN -- --x') as { command: unknown }).command, { form: 'shell', args: ['--x'] });
  });

  test('HEALTHCHECK', () => {
    const base = { kind: 'healthcheck', interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };
    assert.deepEqual(one('HEALTHCHECK NONE'), { ...base, test: ['NONE'] });
    assert.deepEqual(one('HEALTHCHECK CMD ["a"]'), { ...base, test: ['CMD', 'a'] });
    assert.deepEqual(
      one('HEALTHCHECK --interval=5s --timeout=1m --start-period=2s --start-interval=1s --retries=3 cmd a b'),
      {
        ...base,
        interval: 5e9,
        timeout: 60e9,
        startPeriod: 2e9,
        startInterval: 1e9,
        retries: 3,
        test: ['CMD-SHELL', 'a b'],
      },
    );
  });
});

describe('here-documents', () => {
  test('RUN keeps its line and the bodies', () => {
    const { stages } = parseDockerfile('FROM a\nRUN cat <<A <<-"B" > x\none $X\nA\n\ttwo\n\tB\nRUN after');
    const [run, after] = stages[0]?.instructions ?? [];
    assert.ok(run?.kind === 'run' && after?.kind === 'run');
    assert.deepEqual(run.command.args, ['cat <<A <<-"B" > x']);
    assert.deepEqual(run.heredocs, [
      { name: 'A', expand: true, content: 'one $X\n' },
      { name: 'B', expand: false, content: 'two\n' },
    ]);
    assert.deepEqual(
      [run.at, after.at],
      [
        { start: 2, end: 6 },
        { start: 7, end: 7 },
      ],
    );
  });

  test('COPY takes them as files', () => {
    const { stages } = parseDockerfile('FROM a\nCOPY <<a.txt plain <<"b" /d/\n# no comment\n\\\na.txt\nb');
    const [copy] = stages[0]?.instructions ?? [];
    assert.ok(copy?.kind === 'copy');
    assert.deepEqual(copy.sources, ['plain']);
    assert.deepEqual(copy.inlineFiles, [
      { name: 'a.txt', expand: true, content: '# no comment\n\\\n' },
      { name: 'b', expand: false, content: '' },
    ]);
  });

  test('no here-document where none can be', () => {
    const { stages } = parseDockerfile(
      'FROM a\nRUN ["a", "<<EOF"]\nENV A=<<EOF\nRUN echo "<<EOF" $((1<<3))\nCMD cat <<EOF',
    );
    assert.equal(stages[0]?.instructions.length, 4);
  });

  test('below ONBUILD, and again as a trigger', () => {
    const file = parseDockerfile('FROM a\nONBUILD COPY <<EOF /x\nhello\nEOF\nUSER b');
    const [onbuild, user] = file.stages[0]?.instructions ?? [];
    assert.ok(onbuild?.kind === 'onbuild' && user?.kind === 'user');
    assert.equal(onbuild.value, 'COPY <<EOF /x\nhello\nEOF');
    const trigger = parseTrigger(onbuild.value, file, { start: 1, end: 1 });
    assert.ok(trigger.kind === 'copy');
    assert.deepEqual(trigger.inlineFiles, [{ name: 'EOF', expand: true, content: 'hello\n' }]);
    assert.deepEqual(trigger.at, { start: 1, end: 1 });
    assert.throws(() => parseTrigger('NONSENSE', file, { start: 1, end: 1 }), /ONBUILD trigger.*unknown instruction/);
    assert.throws(() => parseTrigger('RUN a\nRUN b', file, { start: 1, end: 1 }), /single instruction/);
  });

  test('an open one is refused', () => refuse('FROM a\nRUN <<EOF\nx\n', /unterminated heredoc/, 'Dockerfile:2'));
});

describe('errors', () => {
  const table: readonly (readonly [string, RegExp])[] = [
    ['FOO bar', /^dockerfile parse error on line 2: unknown instruction: FOO/],
    ['COPPY a b', /unknown instruction: COPPY \(did you mean COPY\?\)/],
    ['__proto__ x', /unknown instruction: __PROTO__/],
    ['COPY a', /COPY requires at least two arguments/],
    ['COPY --chwon=a b c', /unknown flag: --chwon/],
    ['COPY --link=maybe b c', /Expecting boolean value for flag link, not: maybe/],
    ['COPY --link= b c', /Missing a value on flag: link/],
    ['COPY --from b c', /Missing a value on flag: from/],
    ['COPY --from=a --from=b b c', /Duplicate flag specified: from/],
    ['COPY --from=$x b c', /variable expansion is not supported for --from/],
    ['COPY a <<EOF\nEOF', /COPY cannot accept a heredoc as a destination/],
    ['ADD a', /ADD requires at least two arguments/],
    ['RUN', /RUN requires at least one argument/],
    ['RUN []', /RUN requires at least one argument/],
    ['RUN ["a", 1]', /arrays must be comprised of strings only/],
    ['RUN --mount=type=x a', /unsupported mount type "x"/],
    ['RUN --mount=from=$x,target=/y a', /'from' doesn't support variable expansion/],
    ['RUN --network=hos a', /unsupported network mode "hos" \(did you mean host\?\)/],
    ['ENV', /ENV requires at least one argument/],
    ['ENV A', /ENV must have two arguments/],
    ['ENV A=1 B', /can't find = in "B"/],
    ['ENV =1', /ENV names can not be blank/],
    ['ENV --x A=1', /unknown flag: --x/],
    ['ARG', /ARG requires at least one argument/],
    ['ARG =x', /ARG names can not be blank/],
    ['USER', /USER requires exactly one argument/],
    ['SHELL bash', /SHELL requires the arguments to be in JSON form/],
    ['SHELL []', /SHELL requires at least one argument/],
    ['VOLUME [""]', /VOLUME specified can not be an empty string/],
    ['ONBUILD', /ONBUILD requires at least one argument/],
    ['ONBUILD ONBUILD RUN a', /Chaining ONBUILD/],
    ['ONBUILD FROM a', /FROM isn't allowed as an ONBUILD trigger/],
    ['ONBUILD NOSUCH', /unknown instruction: NOSUCH/],
    ['HEALTHCHECK', /HEALTHCHECK requires at least one argument/],
    ['HEALTHCHECK CMD', /Missing command after HEALTHCHECK CMD/],
    ['HEALTHCHECK NONE x', /HEALTHCHECK NONE takes no arguments/],
    ['HEALTHCHECK HTTP x', /Unknown type "HTTP" in HEALTHCHECK/],
    ['HEALTHCHECK --interval=1us CMD x', /cannot be less than 1ms/],
    ['HEALTHCHECK --interval=x CMD x', /time: invalid duration "x"/],
    ['HEALTHCHECK --retries=-1 CMD x', /--retries cannot be negative/],
    ['FROM', /FROM requires either one or three arguments/],
    ['FROM a b', /FROM requires either one or three arguments/],
    ['FROM a AS 1st', /invalid name for build stage: "1st"/],
  ];
  for (const [text, message] of table) test(text, () => refuse(`FROM a\n${text}\n`, message, 'Dockerfile:2'));

  test('nothing to build', () => {
    refuse('', /file with no instructions/, 'Dockerfile:1');
    refuse('# only a comment\n', /file with no instructions/, 'Dockerfile:1');
    refuse('ARG A\n', /contains no stages/, 'Dockerfile:1');
    refuse('RUN a\nFROM b', /no build stage in current context/, 'Dockerfile:1');
    refuse('FROM a\nRUN b\0', /the line has a NUL character/, 'Dockerfile:2');
  });

  test('the excerpt marks the lines', () => {
    assert.throws(
      () => parseDockerfile('FROM a\n\nRUN b\nCOPPY x \\\n\ty\nRUN c\nRUN d\nRUN e', 'sub/Dockerfile'),
      (error) => {
        assert.ok(error instanceof StatusError);
        assert.equal(
          error.message,
          [
            'dockerfile parse error on line 4: unknown instruction: COPPY (did you mean COPY?)',
            '',
            'sub/Dockerfile:4',
            '--------------------',
            '   2 |',
            '   3 |     RUN b',
            '   4 | >>> COPPY x \\',
            '   5 | >>>     y',
            '   6 |     RUN c',
            '   7 |     RUN d',
            '--------------------',
          ].join('\n'),
        );
        return true;
      },
    );
  });

  test('the excerpt is bounded and cannot move the cursor', () => {
    assert.throws(
      () => parseDockerfile(`FROM a\nX\u001b[2J${'y'.repeat(10_000)}\\\n${'z\\\n'.repeat(500)}`),
      (error) => error instanceof StatusError && !error.message.includes('\u001b') && error.message.length < 12_000,
    );
  });
});

describe('hostile text', () => {
  test('any text gives a Dockerfile or a StatusError', () => {
    const word = fc.constantFrom(
      'FROM', 'RUN', 'COPY', 'ADD', 'ENV', 'ARG', 'ONBUILD', 'HEALTHCHECK', 'CMD', 'SHELL', 'a', '--from=b', '--x', '<<EOF',
      'EOF', '\n', '\\\n', '#', '["a"]', '[', '"', "'", '=', '$X', '`', '\r\n', '\t', '--', '--mount=type=cache,target=/', '\u0000',
    ); // prettier-ignore
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 5 })), { maxLength: 60 }), (words) => {
        try {
          parseDockerfile(words.join(' '));
        } catch (error) {
          assert.ok(error instanceof StatusError, String(error));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('long runs of white space and quotes take linear time', () => {
    const blank = ' '.repeat(500_000);
    parseDockerfile(
      `#${blank}syntax${blank}=${blank}x\nFROM a${blank}\nRUN x${blank}y\\${blank}\n${'"'.repeat(500_000)}`,
    );
  });

  test('too much text is refused', () => {
    assert.throws(() => parseDockerfile('#'.repeat(5 * 1024 * 1024)), { reason: 'TooLarge' });
  });
});
