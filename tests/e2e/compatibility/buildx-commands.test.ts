import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';

import { commandOutput } from '../../kit/command.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { startRegistry } from '../../kit/registry.ts';
import { toolPath } from '../../kit/tools.ts';
import { Buildx } from '../buildkit/buildx.ts';
import { testCommands } from './command-case.ts';

let instance: Instance;
let buildx: Buildx;
const folder = `/tmp/slipway-buildx-${String(process.pid)}`;
/** Known when the tests run. */
const places = new Map<string, string>();
const key = join(folder, 'key');
const endings: (() => Promise<void> | void)[] = [];
const dockerfile = `FROM busybox AS first
ARG WHO=nobody
RUN echo "$WHO" > /who; cat /etc/hosts > /hosts; ulimit -n > /files; df /dev/shm > /shm; ls /sys/class/net > /links
FROM first AS last
CMD ["cat", "/who"]
`;
/** Writes the list that a scanner has to write. */
const scanner = `FROM busybox
ENTRYPOINT ["sh", "-c", "echo '{\\"predicateType\\":\\"https://spdx.dev/Document\\",\\"predicate\\":{}}' > /run/out/sbom.spdx.json"]
`;
const bakeFile = JSON.stringify({
  target: { default: { context: '.', dockerfile: 'Dockerfile', tags: ['baked'] } },
});

before(async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, 'Dockerfile'), dockerfile);
  writeFileSync(join(folder, 'Scanner'), scanner);
  writeFileSync(join(folder, 'Doubtful'), 'FROM busybox\nCMD echo hi\n');
  writeFileSync(
    join(folder, 'Secret'),
    'FROM busybox\nRUN --mount=type=secret,id=s,required wc -c < /run/secrets/s > /n\n',
  );
  writeFileSync(join(folder, 'Agent'), 'FROM busybox\nRUN --mount=type=ssh,required test -S "$SSH_AUTH_SOCK"\n');
  writeFileSync(join(folder, 'Host'), 'FROM busybox\nRUN --network=host cat /etc/hosts\n');
  writeFileSync(join(folder, 'Other'), 'FROM other\nCMD ["echo", "other"]\n');
  writeFileSync(join(folder, 'bake.json'), bakeFile);
  instance = await openInstance();
  buildx = new Buildx(instance);
  await commandOutput(toolPath('ssh-keygen'), ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const { address } = await startRegistry({ after: (work) => void endings.push(work) });
  places.set('REGISTRY', address);
  const image = `${address}/busybox:1`;
  await instance.dockerOutput('tag', 'busybox', image);
  await instance.dockerOutput('push', image);
  writeFileSync(join(folder, 'Remote'), `FROM ${image}\n`);
  await buildx.built(folder, ['-f', join(folder, 'Scanner'), '-t', 'scanner']);
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  for (const end of endings) await end();
  await instance?.destroy();
});

const withPlugin: Pick<Instance, 'dockerWith'> = {
  dockerWith: (options, ...args) => instance.dockerWith({ ...options, cwd: folder, env: buildx.env }, ...args),
};
const plain = '--progress=plain';
const build = (...args: readonly string[]): readonly string[] => [
  'buildx',
  'build',
  plain,
  '-t',
  'built',
  ...args,
  folder,
];
const named = (name: string, ...args: readonly string[]): readonly string[] => build('-f', join(folder, name), ...args);
const bake = (...args: readonly string[]): readonly string[] => ['buildx', 'bake', plain, '-f', 'bake.json', ...args];
const run = (...args: readonly string[]): readonly string[] => ['run', '--rm', 'built', ...args];
const done = /naming to docker\.io\/library\/built:latest/;
const baked = /naming to docker\.io\/library\/baked:latest/;

testCommands(
  () => withPlugin,
  [
    { proves: 'docker buildx build', run: [build(), run()], shows: /^nobody$/m },
    { proves: 'docker buildx build --builder', run: build('--builder', 'default'), shows: done },
    { proves: 'docker buildx build --debug', run: build('--debug'), shows: done },
    { proves: 'docker buildx build --progress', run: build('--progress=rawjson'), shows: /"vertexes":/ },
    {
      proves: 'docker buildx build --quiet',
      run: ['buildx', 'build', '--quiet', folder],
      shows: /^sha256:[0-9a-f]{64}$/m,
    },
    { proves: 'docker buildx build --tag', run: build('--tag', 'named:2'), shows: /naming to .*named:2/ },
    { proves: 'docker buildx build --build-arg', run: [build('--build-arg', 'WHO=ann'), run()], shows: /^ann$/m },
    { proves: 'docker buildx build --file', run: named('Doubtful', '--file', join(folder, 'Doubtful')), shows: done },
    {
      proves: 'docker buildx build --add-host',
      run: [build('--no-cache', '--add-host', 'harbour:10.1.2.3'), run('cat', '/hosts')],
      shows: /^10\.1\.2\.3\s+harbour$/m,
    },
    {
      proves: 'docker buildx build --network',
      run: [build('--no-cache', '--network', 'none'), run('cat', '/links')],
      shows: /^lo\n$/,
    },
    {
      proves: 'docker buildx build --shm-size',
      run: [build('--no-cache', '--shm-size', '1m'), run('cat', '/shm')],
      shows: /\s1024\s/,
    },
    {
      proves: 'docker buildx build --ulimit',
      run: [build('--no-cache', '--ulimit', 'nofile=64:64'), run('cat', '/files')],
      shows: /^64$/m,
    },
    {
      proves: 'docker buildx build --label',
      run: [build('--label', 'a=b'), ['inspect', '--format', '{{.Config.Labels}}', 'built']],
      shows: /a:b/,
    },
    {
      proves: 'docker buildx build --target',
      run: [build('--target', 'first'), ['inspect', '--format', '{{.Config.Cmd}}', 'built']],
      shows: /^\[sh\]$/m,
    },
    { proves: 'docker buildx build --no-cache', run: [build(), build('--no-cache')], shows: /^(?![^]*CACHED)/ },
    {
      proves: 'docker buildx build --no-cache-filter',
      run: [build(), build('--no-cache-filter', 'first')],
      shows: /^(?![^]*CACHED)/,
    },
    { proves: 'docker buildx build --pull', run: named('Remote', '--pull'), shows: done },
    {
      proves: 'docker buildx build --platform',
      run: build('--platform', `linux/${process.arch === 'x64' ? 'amd64' : 'arm64'}`),
      shows: done,
    },
    {
      proves: 'docker buildx build --build-context',
      run: [named('Other', '--build-context', 'other=docker-image://busybox'), run()],
      shows: /^other$/m,
    },
    {
      proves: 'docker buildx build --secret',
      run: [named('Secret', '--secret', `id=s,src=${join(folder, 'Other')}`), run('cat', '/n')],
      shows: /^\d\d$/m,
    },
    { proves: 'docker buildx build --ssh', run: named('Agent', '--ssh', `default=${key}`), shows: done },
    { proves: 'docker buildx build --allow', run: named('Host', '--allow', 'network.host'), shows: done },
    { proves: 'docker buildx build --check', run: named('Doubtful', '--check'), code: 1, shows: /JSONArgsRecommended/ },
    {
      refuses: 'docker buildx build --call',
      run: build('--call=outline'),
      sentence: 'Cannot answer frontend.outline: only --check and whole builds are supported',
    },
    {
      refuses: 'docker buildx build --cgroup-parent',
      run: build('--cgroup-parent', 'x'),
      sentence: 'Cannot build with cgroup-parent "x": this option is not supported',
    },
    {
      refuses: 'docker buildx build --annotation',
      run: build('--annotation', 'a=b', '--output', `type=oci,dest=${folder}/out.tar`),
      sentence: 'Cannot export to oci with annotation.a=b: leave it away',
    },
    { proves: 'docker buildx build --load', run: build('--load'), shows: done },
    {
      proves: 'docker buildx build --push',
      run: ['buildx', 'build', plain, '--push', '-t', 'REGISTRY/pushed:1', folder],
      shows: /naming to .*\/pushed:1/,
    },
    {
      proves: 'docker buildx build --output',
      run: [build('--output', `type=tar,dest=${folder}/out.tar`), run('true')],
      shows: /^/,
    },
    { proves: 'docker buildx build --iidfile', run: build('--iidfile', join(folder, 'iid')), shows: done },
    { proves: 'docker buildx build --metadata-file', run: build('--metadata-file', join(folder, 'said')), shows: done },
    {
      proves: 'docker buildx build --cache-to',
      run: build('--cache-to', 'type=registry,ref=REGISTRY/cache,mode=max'),
      shows: done,
    },
    {
      proves: 'docker buildx build --cache-from',
      run: build('--cache-from', 'type=registry,ref=REGISTRY/cache'),
      shows: /importing cache manifest|CACHED/,
    },
    { proves: 'docker buildx build --provenance', run: build('--provenance=mode=max'), shows: done },
    {
      proves: 'docker buildx build --sbom',
      run: build('--sbom=generator=scanner'),
      shows: /generating sbom using scanner:latest/,
    },
    {
      proves: 'docker buildx build --attest',
      run: build('--attest', 'type=sbom,generator=scanner'),
      shows: /generating sbom using scanner:latest/,
    },
    { proves: 'docker buildx bake', run: [bake(), ['run', '--rm', 'baked']], shows: /^nobody$/m },
    { proves: 'docker buildx bake --file', run: ['buildx', 'bake', plain, '--file', 'bake.json'], shows: baked },
    { proves: 'docker buildx bake --builder', run: bake('--builder', 'default'), shows: baked },
    { proves: 'docker buildx bake --debug', run: bake('--debug'), shows: baked },
    { proves: 'docker buildx bake --progress', run: bake('--progress=rawjson'), shows: /"vertexes":/ },
    {
      proves: 'docker buildx bake --set',
      run: [bake('--set', '*.args.WHO=bob'), ['run', '--rm', 'baked']],
      shows: /^bob$/m,
    },
    { proves: 'docker buildx bake --no-cache', run: [bake(), bake('--no-cache')], shows: /^(?![^]*CACHED)/ },
    { proves: 'docker buildx bake --allow', run: bake('--allow', 'network.host'), shows: baked },
    { proves: 'docker buildx bake --check', run: bake('--check'), shows: /Check complete, no warnings found/ },
    {
      refuses: 'docker buildx bake --call',
      run: bake('--call=outline'),
      sentence: 'Cannot answer frontend.outline: only --check and whole builds are supported',
    },
    { proves: 'docker buildx bake --load', run: bake('--load'), shows: baked },
    {
      proves: 'docker buildx bake --push',
      run: bake('--push', '--set', '*.tags=REGISTRY/baked:1'),
      shows: /naming to .*\/baked:1/,
    },
    { proves: 'docker buildx bake --metadata-file', run: bake('--metadata-file', 'said'), shows: baked },
    { proves: 'docker buildx bake --provenance', run: bake('--provenance=mode=min'), shows: baked },
    {
      proves: 'docker buildx bake --sbom',
      run: bake('--sbom=generator=scanner'),
      shows: /generating sbom using scanner/,
    },
    {
      proves: 'docker buildx bake --pull',
      run: bake('--pull', '--set', '*.dockerfile=Remote'),
      shows: baked,
    },
    {
      inapplicable: 'docker buildx bake --print',
      because: 'the client alone prints what it would ask for',
      run: bake('--print'),
      shows: /"dockerfile": "Dockerfile"/,
    },
    {
      inapplicable: 'docker buildx bake --list',
      because: 'the client alone reads its file',
      run: bake('--list=targets'),
      shows: /default/,
    },
    { proves: 'docker buildx ls', run: 'buildx ls', shows: /default\*?\s+docker/ },
    { proves: 'docker buildx ls --format', run: ['buildx', 'ls', '--format', '{{.Name}}'], shows: /^default$/m },
    { proves: 'docker buildx ls --no-trunc', run: 'buildx ls --no-trunc', shows: /linux\/amd64|linux\/arm64/ },
    { proves: 'docker buildx ls --debug', run: 'buildx ls --debug', shows: /default/ },
    { proves: 'docker buildx inspect', run: 'buildx inspect', shows: /Driver:\s+docker\n[^]*Status:\s+running/ },
    { proves: 'docker buildx inspect --bootstrap', run: 'buildx inspect --bootstrap', shows: /Platforms:\s+linux/ },
    { proves: 'docker buildx inspect --builder', run: 'buildx inspect --builder default', shows: /Name:\s+default/ },
    { proves: 'docker buildx inspect --debug', run: 'buildx inspect --debug', shows: /running/ },
    { proves: 'docker buildx du', run: [build(), ['buildx', 'du']], shows: /Total:\s+[\d.]+\w*B/ },
    { proves: 'docker buildx du --verbose', run: 'buildx du --verbose', shows: /Description:/ },
    { proves: 'docker buildx du --format', run: 'buildx du --format json', shows: /"Size"/i },
    { proves: 'docker buildx du --filter', run: 'buildx du --filter until=24h', shows: /^/ },
    { proves: 'docker buildx du --builder', run: 'buildx du --builder default', shows: /Total/ },
    { proves: 'docker buildx du --debug', run: 'buildx du --debug', shows: /Total/ },
    { proves: 'docker buildx prune --filter', run: 'buildx prune --force --filter until=24h', shows: /Total/ },
    { proves: 'docker buildx prune --max-used-space', run: 'buildx prune -f --max-used-space 10g', shows: /Total/ },
    { proves: 'docker buildx prune --min-free-space', run: 'buildx prune -f --min-free-space 1', shows: /Total/ },
    { proves: 'docker buildx prune --reserved-space', run: 'buildx prune -f --reserved-space 10g', shows: /Total/ },
    { proves: 'docker buildx prune --verbose', run: 'buildx prune --force --verbose', shows: /Total/ },
    { proves: 'docker buildx prune --builder', run: 'buildx prune --force --builder default', shows: /Total/ },
    { proves: 'docker buildx prune --debug', run: 'buildx prune --force --debug', shows: /Total/ },
    { proves: 'docker buildx prune --force', run: 'buildx prune --force', shows: /Total/ },
    {
      proves: 'docker buildx prune --all',
      run: [build(), ['buildx', 'prune', '--force', '--all']],
      shows: /Total:\s+[1-9]/,
    },
    { proves: 'docker buildx prune', run: 'buildx prune --force', shows: /Total/ },
  ],
  places,
);
