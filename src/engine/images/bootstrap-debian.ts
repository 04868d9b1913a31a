import { constants } from 'node:fs';
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { parseDeb822Sources, parseSourcesList } from '#formats/apt-sources.ts';
import type { AptSource } from '#formats/apt-sources.ts';
import type { Reference } from '#formats/reference.ts';
import { packTree } from '#sys/tree/pack-tree.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';
import { chooseMirror, formatSources } from './debian/choose-mirror.ts';
import type { DebianMirror } from './debian/choose-mirror.ts';
import { aptSettings, dpkgSettings, imageEntry, policyRcD, releaseTimeNs } from './debian/image-files.ts';
import { runProgram } from '#sys/run-program.ts';
import type { Image, Images } from './images.ts';
import { openScratchFolder } from './scratch-folder.ts';

export interface DebianBootstrap {
  readonly images: Pick<Images, 'import' | 'scratchDir'>;
  /** `bookworm`, `trixie`, ... */
  readonly suite: string;
  /** What to name the image. */
  readonly reference: Reference;
  /** Address of the archive, such as `http://mirror.example/debian`; without it the machine's own apt sources say. */
  readonly mirror?: string;
  /** A line of text for each thing that happens. */
  readonly onProgress: (line: string) => void;
}

const debootstrapPath = '/usr/sbin/debootstrap';
const aptFolder = '/etc/apt';
const defaultKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const environment = { PATH: path, LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' };
const upgrade = 'apt-get -q update && apt-get -q -y dist-upgrade && apt-get -q -y autoremove --purge';

/**
 * Makes a small base image of a Debian suite from a Debian mirror: debootstrap's minbase with the mirror's updates and
 * security fixes, whose signatures are checked with the distribution's keyring. Leaves nothing behind but the image,
 * also when it fails or is aborted. Throws InvalidArgument, NotSupported when debootstrap is missing, Unavailable.
 */
export async function bootstrapDebian(bootstrap: DebianBootstrap, signal: AbortSignal): Promise<Image> {
  const { images, suite, reference, onProgress } = bootstrap;
  const mirror = chooseMirror(await readAptSources(), suite, bootstrap.mirror, await readOwnSuite());
  const keyring = await findKeyring(mirror);
  await requireDebootstrap();
  await using scratch = await openScratchFolder(images.scratchDir);
  const root = join(scratch.path, 'root');
  await using _tree = { [Symbol.asyncDispose]: () => removeTree(root) };
  await mkdir(root, { mode: 0o755 });
  const extra = mirror.uri.startsWith('https:') ? ['--include=ca-certificates'] : [];
  const onLine = (line: string): void => onProgress(line.replace(/^I: /, ''));
  const args = [debootstrapPath, '--variant=minbase', `--keyring=${keyring}`, ...extra, suite, root, mirror.uri];
  await runProgram({ args, env: environment, onLine }, signal);
  await configure(root, mirror);
  const inside = [`--mount-proc=${join(root, 'proc')}`, 'chroot', root, '/bin/sh', '-c', upgrade];
  await runProgram({ args: inside, env: environment, onLine }, signal);
  const releasedNs = releaseTimeNs(await readReleases(root));
  onProgress('Packing the image');
  const tar = packTree({ start: root, transform: (entry) => imageEntry(entry, releasedNs) }, signal);
  return await images.import(
    tar,
    {
      tag: reference,
      message: `debootstrap --variant=minbase ${suite}`,
      config: { Env: [`PATH=${path}`], Cmd: ['bash'] },
      created: new Date(Number(releasedNs / 1_000_000n)).toISOString(),
    },
    signal,
  );
}

/** Writes what makes a Debian root a Debian image. */
async function configure(root: string, mirror: DebianMirror): Promise<void> {
  const at = (name: string): string => join(root, name);
  await rm(at('etc/apt/sources.list'), { force: true });
  await writeFile(at('etc/apt/sources.list.d/debian.sources'), formatSources(mirror, defaultKeyring));
  await writeFile(at('etc/apt/apt.conf.d/90image'), aptSettings + (await ownDateChecks()));
  await writeFile(at('etc/dpkg/dpkg.cfg.d/90image'), dpkgSettings);
  await writeFile(at('usr/sbin/policy-rc.d'), policyRcD, { mode: 0o755 });
}

/** A machine that takes releases from a mirror that stands still needs images that do so as well. */
async function ownDateChecks(): Promise<string> {
  const folder = join(aptFolder, 'apt.conf.d');
  const files = await readFolder(folder);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const lines = texts.join('\n').match(/^\s*Acquire::Check-(Valid-Until|Date)\s+"?(false|no|0)"?;/gim) ?? [];
  return lines.map((line) => `${line.trim()}\n`).join('');
}

async function readAptSources(): Promise<readonly AptSource[]> {
  const folder = join(aptFolder, 'sources.list.d');
  const files = [join(aptFolder, 'sources.list'), ...(await readFolder(folder)).map((file) => join(folder, file))];
  const sources: AptSource[] = [];
  for (const file of files) {
    const parse = file.endsWith('.sources')
      ? parseDeb822Sources
      : file.endsWith('.list')
        ? parseSourcesList
        : undefined;
    if (parse !== undefined) sources.push(...parse(await readFile(file, 'utf8').catch(() => '')));
  }
  return sources;
}

async function readOwnSuite(): Promise<string | undefined> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(text)?.[1];
}

/** The Release files that apt has verified and kept. */
async function readReleases(root: string): Promise<readonly string[]> {
  const folder = join(root, 'var/lib/apt/lists');
  const files = (await readFolder(folder)).filter((file) => /_(In)?Release$/.test(file));
  return await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
}

/** gpgv reads binary keyrings only. */
async function findKeyring({ keyring, suite }: DebianMirror): Promise<string> {
  for (const candidate of [keyring, defaultKeyring]) {
    if (candidate?.endsWith('.gpg') === true && (await exists(candidate))) return candidate;
  }
  const text = 'the keyring of the Debian archive is not here; apt-get install debian-archive-keyring';
  throw new StatusError('NotSupported', `Cannot bootstrap Debian "${suite}": ${text}`);
}

async function requireDebootstrap(): Promise<void> {
  if (await exists(debootstrapPath)) return;
  throw new StatusError(
    'NotSupported',
    'Cannot bootstrap Debian: debootstrap is not here; apt-get install debootstrap',
  );
}

async function exists(file: string): Promise<boolean> {
  return await access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}

async function readFolder(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.toSorted((one, other) => (one < other ? -1 : 1));
}
