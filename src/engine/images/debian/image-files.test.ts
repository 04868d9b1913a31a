import assert from 'node:assert/strict';
import { test } from 'node:test';

import { tarEntry } from '#formats/tar/write-tar.ts';
import { imageEntry, releaseTimeNs } from './image-files.ts';

test('what is left over from making the tree stays out, what belongs to Debian stays', () => {
  const gone = [
    'dev/null',
    'proc/1',
    'etc/resolv.conf',
    'etc/shadow-',
    'var/lib/apt/lists/mirror_dists_bookworm_InRelease',
    'var/cache/apt/archives/libc6.deb',
    'var/log/dpkg.log',
    'var/log/apt/term.log',
    'var/lib/dpkg/status-old',
    'usr/share/doc/apt/changelog.gz',
    'usr/share/locale/de/LC_MESSAGES/apt.mo',
    'usr/sbin/policy-rc.d',
  ];
  for (const path of gone) assert.deepEqual(imageEntry(tarEntry(path), 0n), [], path);
  const kept = [
    'etc/passwd',
    'etc/apt/sources.list.d/debian.sources',
    'usr/share/doc/apt/copyright',
    'usr/share/locale/locale.alias',
    'var/lib/dpkg/status',
  ];
  for (const path of kept) assert.equal(imageEntry(tarEntry(path), 0n).length, 1, path);
  const folders = [
    'dev',
    'tmp',
    'var/cache/apt/archives/partial',
    'var/lib/apt/lists',
    'var/log/apt',
    'usr/share/doc/apt',
  ];
  for (const path of folders) {
    for (const spelled of [path, `${path}/`]) {
      assert.equal(imageEntry(tarEntry(spelled, { type: 'directory' }), 0n).length, 1, spelled);
    }
  }
});

test('no time is later than the release, and the machine has no name', () => {
  const late = tarEntry('etc/machine-id', { mtimeNs: 9n, sizeBytes: 33 });
  assert.deepEqual(imageEntry(late, 5n), [{ ...late, mtimeNs: 5n, sizeBytes: 0 }]);
  assert.equal(imageEntry(tarEntry('etc/passwd', { mtimeNs: 3n }), 5n)[0]?.mtimeNs, 3n);
  const releases = ['Origin: Debian\nDate: Sat, 06 Sep 2025 09:58:05 UTC\n', 'Date: Thu, 01 Jan 1970 00:00:09 UTC', ''];
  assert.equal(releaseTimeNs(releases), BigInt(Date.UTC(2025, 8, 6, 9, 58, 5)) * 1_000_000n);
  assert.equal(releaseTimeNs([]), 0n);
});
