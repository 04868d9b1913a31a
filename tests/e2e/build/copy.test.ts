import assert from 'node:assert/strict';
import { chmodSync, chownSync, linkSync, lstatSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import { openFileWorld, type World } from './world.ts';

let world: World & AsyncDisposable;

/** Files of the context, all with modes that no umask decides. */
function put(path: string, text = path.split('/').at(-1), mode = 0o644): void {
  const full = join(world.context, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text ?? '');
  chmodSync(full, mode);
  for (let folder = dirname(full); folder !== world.context; folder = dirname(folder)) chmodSync(folder, 0o755);
}

before(async () => {
  world = await openFileWorld();
  put('a.txt', 'a');
  put('b.txt', 'b');
  put('run.sh', 'sh', 0o755);
  put('dir/one', '1', 0o600);
  put('dir/sub/two', '2');
  chmodSync(join(world.context, 'dir/sub'), 0o700);
  chownSync(join(world.context, 'dir/one'), 1234, 1234);
  symlinkSync('one', join(world.context, 'dir/link'));
  symlinkSync('/etc/passwd', join(world.context, 'dir/host'));
  symlinkSync('a.txt', join(world.context, 'to-a'));
  symlinkSync('/etc/hostname', join(world.context, 'outer'));
  put('etc/passwd', 'app:x:1000:1001::/:\n');
  put('etc/group', 'staff:x:50:\n');
  put('old/a.txt', 'old');
});

after(async () => {
  await world[Symbol.asyncDispose]();
});

const dir = ['/host -> /etc/passwd 0:0', '/link -> one 0:0', '/one 600 0:0 1', '/sub/ 700 0:0', '/sub/two 644 0:0 2'];

const table: readonly (readonly [string, readonly string[]])[] = [
  ['COPY a.txt /', ['/a.txt 644 0:0 a']],
  ['COPY a.txt /x', ['/x 644 0:0 a']],
  ['COPY a.txt /x/', ['/x/ 755 0:0', '/x/a.txt 644 0:0 a']],
  ['COPY a.txt x/y/z', ['/x/ 755 0:0', '/x/y/ 755 0:0', '/x/y/z 644 0:0 a']],
  ['COPY a.txt .', ['/a.txt 644 0:0 a']],
  ['WORKDIR /w\nCOPY a.txt .', ['/w/ 755 0:0', '/w/a.txt 644 0:0 a']],
  ['WORKDIR /w\nWORKDIR v\nCOPY a.txt ../x', ['/w/ 755 0:0', '/w/v/ 755 0:0', '/w/x 644 0:0 a']],
  ['COPY a.txt b.txt /x/', ['/x/ 755 0:0', '/x/a.txt 644 0:0 a', '/x/b.txt 644 0:0 b']],
  ['COPY *.txt ./', ['/a.txt 644 0:0 a', '/b.txt 644 0:0 b']],
  ['COPY nothing* a.txt /', ['/a.txt 644 0:0 a']],
  ['COPY ["a.txt", "/with space"]', ['/with space 644 0:0 a']],
  ['ENV N=a E=txt\nCOPY $N.${E} /$N', ['/a 644 0:0 a']],
  ['COPY to-a /', ['/to-a 644 0:0 a']],
  ['COPY run.sh /', ['/run.sh 755 0:0 sh']],
  ['COPY dir /x', ['/x/ 755 0:0', ...dir.map((line) => `/x${line}`)]],
  ['COPY dir /', dir],
  ['COPY dir a.txt /x/', ['/x/ 755 0:0', '/x/a.txt 644 0:0 a', ...dir.map((line) => `/x${line}`)]],
  ['COPY --exclude=sub --exclude=l* dir /', ['/host -> /etc/passwd 0:0', '/one 600 0:0 1']],
  ['COPY --parents dir/sub/two /x', ['/x/ 755 0:0', '/x/dir/ 755 0:0', '/x/dir/sub/ 700 0:0', '/x/dir/sub/two 644 0:0 2']],
  ['COPY --parents dir/./sub/t* /x/', ['/x/ 755 0:0', '/x/sub/ 700 0:0', '/x/sub/two 644 0:0 2']],
  ['COPY --chown=5:6 a.txt /x/', ['/x/ 755 5:6', '/x/a.txt 644 5:6 a']],
  ['COPY --chmod=0440 dir/sub /x', ['/x/ 440 0:0', '/x/two 440 0:0 2']],
  ['COPY --chmod=u=rwX,go=rX dir/ /x', ['/x/ 755 0:0', '/x/host -> /etc/passwd 0:0', '/x/link -> one 0:0', '/x/one 644 0:0 1', '/x/sub/ 755 0:0', '/x/sub/two 644 0:0 2']],
  ['COPY --link a.txt /x', ['/x 644 0:0 a']],
  ['COPY old /x\nCOPY a.txt /x', ['/x/ 755 0:0', '/x/a.txt 644 0:0 a']],
  ['COPY <<EOF /x\nhello $N\nEOF', ['/x 644 0:0 hello \n']],
  ['ENV N=1\nCOPY <<EOF <<"raw" /x/\n$N "q"\nEOF\n$N\nraw', ['/x/ 755 0:0', '/x/EOF 644 0:0 1 "q"\n', '/x/raw 644 0:0 $N\n']],
  ['USER 7\nWORKDIR /u\nCOPY a.txt .', ['/u/ 755 7:7', '/u/a.txt 644 0:0 a']],
]; // prettier-ignore

describe('COPY', () => {
  for (const [lines, expected] of table)
    test(lines.replaceAll('\n', ' | '), async () => {
      const built = await world.build(`FROM scratch\n${lines}`);
      assert.deepEqual(await built.files(), [...expected].sort());
    });

  test('names of owners are looked up in the stage', async () => {
    const built = await world.build(
      'FROM scratch\nCOPY etc /etc\nCOPY --chown=app:staff a.txt /x\nCOPY --chown=app a.txt /y',
    );
    assert.deepEqual((await built.files()).slice(-2), ['/x 644 1000:50 a', '/y 644 1000:1001 a']);
  });

  test('times and hard links come along', async () => {
    put('times/d/f', 'f');
    linkSync(join(world.context, 'times/d/f'), join(world.context, 'times/d/g'));
    utimesSync(join(world.context, 'times/d/f'), 1000.5, 1000.5);
    utimesSync(join(world.context, 'times/d'), 2000, 2000);
    const built = await world.build('FROM scratch\nCOPY times /t');
    await world.snapshots.create('stat', built.image.topLayer);
    const root = world.snapshots.mount('stat');
    const [file, link] = ['f', 'g'].map((name) => lstatSync(join(root, 't/d', name)));
    assert.equal(file?.ino, link?.ino);
    assert.equal(file?.mtimeMs, 1_000_500);
    await world.snapshots.remove('stat');
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['COPY a.txt b.txt /x', 'InvalidArgument', /destination must be a directory and end with a \//],
    ['COPY *.txt /x', 'InvalidArgument', /destination must be a directory/],
    ['COPY a.txt /x\nCOPY dir /x', 'InvalidArgument', /cannot copy to non-directory: \/x/],
    ['COPY a.txt /x\nCOPY b.txt /x/', 'InvalidArgument', /cannot copy to non-directory: \/x/],
    ['COPY dir /x/a.txt\nCOPY old /x', 'InvalidArgument', /cannot replace to directory \/x\/a.txt with file/],
    ['COPY --chown=nobody a.txt /x', 'InvalidArgument', /unable to find user nobody/],
    ['COPY <<.wh.x /\nEOF\n.wh.x', 'InvalidArgument', /names that begin with .wh./],
    ['COPY outer /x', 'NotFound', /stat outer: file does not exist/],
  ];
  for (const [lines, reason, message] of wrong)
    test(`refused: ${lines.replaceAll('\n', ' | ')}`, async () =>
      await assert.rejects(world.build(`FROM scratch\n${lines}`), (error) => {
        assert.ok(error instanceof StatusError, String(error));
        assert.equal(error.reason, reason);
        assert.match(error.message, message);
        assert.match(error.problems[0]?.path ?? '', /^Dockerfile:[23]$/);
        return true;
      }));
});

describe('COPY --from', () => {
  test('a stage by name and number: owners are kept, links followed inside it', async () => {
    const first = 'FROM scratch AS one\nCOPY --chown=5:6 dir /d\nCOPY etc /etc';
    const built = await world.build(`${first}\nFROM scratch\nCOPY --from=one /d/host /passwd\nCOPY --from=0 /d/sub /s`);
    assert.deepEqual(await built.files(), ['/passwd 644 0:0 app:x:1000:1001::/:\n', '/s/ 755 0:0', '/s/two 644 5:6 2']);
  });

  test('what --chown says wins, also over the names of the other stage', async () => {
    const text =
      'FROM scratch AS one\nCOPY --chown=5:6 dir /d\nFROM scratch\nCOPY etc /etc\nCOPY --from=one --chown=app /d/one /x';
    assert.equal((await (await world.build(text)).files()).at(-1), '/x 600 1000:1001 1');
  });
});

describe('the cache of COPY', () => {
  const cached = async (lines: string): Promise<number> =>
    (await world.build(`FROM scratch\n${lines}`)).events.filter(({ kind }) => kind === 'cached').length;

  test('follows content and modes, not times or files that are not read', async () => {
    put('cache/f', '1');
    put('cache/g', '1');
    assert.equal(await cached('COPY cache/f /cached'), 0);
    assert.equal(await cached('COPY cache/f /cached'), 1);
    utimesSync(join(world.context, 'cache/f'), 5, 5);
    put('cache/g', '2');
    assert.equal(await cached('COPY cache/f /cached'), 1);
    assert.equal(await cached('COPY cache/f /elsewhere'), 0, 'the destination');
    assert.equal(await cached('COPY --chmod=600 cache/f /cached'), 0, 'a flag');
    put('cache/f', '1', 0o755);
    assert.equal(await cached('COPY cache/f /cached'), 0, 'the mode');
    put('cache/f', '2');
    assert.equal(await cached('COPY cache/f /cached'), 0, 'the content');
  });

  test('of COPY --from: the same files from another layer hit', async () => {
    put('from/f', '1');
    put('from/g', '1');
    const text = 'COPY from /d\nFROM scratch\nCOPY --from=0 /d/f /f';
    assert.equal(await cached(text), 0);
    assert.equal(await cached(text), 2);
    put('from/g', '2');
    assert.equal(await cached(text), 1);
  });

  test('.dockerignore decides what is read', async () => {
    put('ign/keep', '1');
    put('ign/drop', '1');
    writeFileSync(join(world.context, '.dockerignore'), 'ign/drop\n');
    const text = 'COPY ign /ign';
    assert.equal(await cached(text), 0);
    put('ign/drop', '2');
    assert.equal(await cached(text), 1);
    assert.deepEqual(await (await world.build(`FROM scratch\n${text}`)).files('/ign'), ['/ign/keep 644 0:0 1']);
    writeFileSync(join(world.context, '.dockerignore'), '');
  });
});

describe('a hostile context or base', () => {
  test('links in the destination stay inside the image', async () => {
    const outside = join(world.folder, 'outside');
    mkdirSync(outside);
    mkdirSync(join(world.context, 'trap'));
    symlinkSync(outside, join(world.context, 'trap/abs'));
    symlinkSync('../../../../../../../..', join(world.context, 'trap/up'));
    symlinkSync('/real', join(world.context, 'trap/in'));
    symlinkSync('loop', join(world.context, 'trap/loop'));
    const built = await world.build(
      'FROM scratch\nCOPY trap /\nCOPY a.txt /real/\nCOPY a.txt /in/x\nCOPY a.txt /up/y\nCOPY a.txt /in/d/',
    );
    assert.deepEqual((await built.files()).filter((line) => !line.includes('->')), [
      '/real/ 755 0:0', '/real/a.txt 644 0:0 a', '/real/d/ 755 0:0', '/real/d/a.txt 644 0:0 a', '/real/x 644 0:0 a', '/y 644 0:0 a',
    ]); // prettier-ignore
    await assert.rejects(world.build('FROM scratch\nCOPY trap /\nCOPY a.txt /abs/x'), { reason: 'InvalidArgument' });
    await assert.rejects(world.build('FROM scratch\nCOPY trap /\nCOPY a.txt /loop/x'), { reason: 'InvalidArgument' });
    assert.deepEqual(lstatSync(outside).nlink, 2, 'nothing was made outside');
    assert.throws(() => lstatSync(join(outside, 'x')));
  });

  test('a link that is copied over a folder with files does not lead anywhere', async () => {
    mkdirSync(join(world.context, 'swap/one'), { recursive: true });
    symlinkSync('/etc', join(world.context, 'swap/one/d'));
    put('swap/two/d/f', 'f');
    const built = await world.build('FROM scratch\nCOPY etc /etc\nCOPY swap/one /\nCOPY swap/two /');
    assert.ok((await built.files()).includes('/etc/f 644 0:0 f'), 'inside the image');
  });
});
