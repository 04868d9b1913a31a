import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { startRegistry } from '../../kit/registry.ts';
import { Buildx } from './buildx.ts';

let instance: Instance;
let buildx: Buildx;

/** A scanner as BuildKit runs it (docs/attestations/sbom-protocol.md): one list for each target, of the files in it. */
const scan = `#!/bin/sh
set -e
touch "$BUILDKIT_SCAN_SOURCE/x" 2> /dev/null && exit 3
list() {
  files=$(cd "$1" && find . -type f | sort | head -5 | tr '\\n' ' ')
  name=$(basename "$1")
  echo "{\\"_type\\":\\"x\\",\\"predicateType\\":\\"https://spdx.dev/Document\\",\\"subject\\":[],\\"predicate\\":{\\"SPDXID\\":\\"SPDXRef-DOCUMENT\\",\\"name\\":\\"$name\\",\\"comment\\":\\"$files\\",\\"depth\\":\\"$BUILDKIT_SCAN_DEPTH\\"}}" > "$BUILDKIT_SCAN_DESTINATION/$name.spdx.json"
}
echo "scanning as $(id -u)" >&2
list "$BUILDKIT_SCAN_SOURCE"
for extra in \${BUILDKIT_SCAN_SOURCE_EXTRAS:+"$BUILDKIT_SCAN_SOURCE_EXTRAS"/*}; do list "$extra"; done
`;
const files = {
  Dockerfile: `FROM busybox AS tools
ARG BUILDKIT_SBOM_SCAN_STAGE=true
RUN rm -r /bin && mkdir /bin && echo > /tool
FROM scratch
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
COPY app /app
COPY --from=tools /tool /tool
`,
  app: 'x',
};
const sbom = 'type=sbom,generator=scanner,DEPTH=3';

before(async () => {
  instance = await openInstance();
  buildx = new Buildx(instance);
  await scanner('scanner', scan);
});
after(async () => instance.destroy());

async function scanner(name: string, script: string): Promise<void> {
  const Dockerfile = 'FROM busybox\nCOPY --chmod=755 scan /scan\nENTRYPOINT ["/scan"]\nCMD []\n';
  await buildx.built(buildx.folder({ Dockerfile, scan: script }), ['-t', name]);
}

interface Document {
  readonly name: string;
  readonly comment: string;
  readonly depth: string;
}

test('a scanner lists what is in an image, in stages and in the context; the lists go with the image', async (t) => {
  const { address } = await startRegistry(t);
  const name = `${address}/listed:1`;
  const said = await buildx.built(buildx.folder(files), ['--attest', sbom, '--push', '-t', name]);
  assert.match(said, /\[linux\/\w+\] generating sbom using scanner:latest\n[^]*scanning as 0/);
  const inspect = async (format: string): Promise<string> => {
    const { code, stdout, stderr } = await buildx.run(['imagetools', 'inspect', '--format', format, name]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const core = JSON.parse(await inspect('{{ json .SBOM.SPDX }}')) as Document;
  assert.deepEqual([core.name, core.comment.trim(), core.depth], ['sbom', './app ./tool', '3']);
  const more = JSON.parse(await inspect('{{ json .SBOM.AdditionalSPDXs }}')) as readonly Document[];
  const seen = more.map(({ name: target, comment }) => [target, comment.trim()]);
  assert.equal(seen.length, 2);
  assert.deepEqual(seen[0]?.[0], 'sbom-context');
  assert.match(seen[0]?.[1] ?? '', /\.\/app/);
  assert.equal(seen[1]?.[0], 'sbom-tools');
  assert.match(seen[1]?.[1] ?? '', /\.\/tool/);
  // Its provenance is there as well, which clients ask for by themselves when they push.
  assert.match(await inspect('{{ json .Provenance.SLSA }}'), /"builder"/);
});

test('each platform has its list, also in archives', async () => {
  const folder = buildx.folder({ Dockerfile: 'FROM scratch\nCOPY app /app\n', app: 'x' });
  const platforms = [
    '--platform',
    'linux/amd64,linux/arm64',
    '-t',
    'two',
    '--output',
    `type=oci,dest=${folder}/all.tar`,
  ];
  const said = await buildx.built(folder, [...platforms, '--attest', sbom]);
  for (const platform of ['amd64', 'arm64']) assert.match(said, new RegExp(`linux/${platform}\\] generating sbom`));
});

test('scanners that are not there, fail or write nonsense are told of', async () => {
  const folder = buildx.folder({ Dockerfile: 'FROM scratch\nCOPY app /app\n', app: 'x' });
  const refusal = async (...args: readonly string[]): Promise<string> => {
    const { code, stderr } = await buildx.build(folder, args);
    assert.equal(code, 1, stderr);
    return stderr;
  };
  assert.match(
    await refusal('--sbom=true'),
    /Cannot list the packages of the image by the scanner docker\/buildkit-syft-scanner:stable-1: .*name one by --attest type=sbom,generator=IMAGE/,
  );
  for (const [name, script, message] of [
    ['fails', 'exit 7', /scanner fails:latest did not complete successfully: exit code: 7/],
    ['mumbles', 'echo hm > /run/out/sbom.spdx.json', /wrote "sbom.spdx.json", which is no in-toto statement/],
    ['links', 'ln -s /etc/passwd /run/out/sbom.spdx.json', /"sbom.spdx.json" of the scanner is no file/],
  ] as const) {
    await scanner(name, `#!/bin/sh\n${script}\n`);
    assert.match(await refusal('--attest', `type=sbom,generator=${name}`), message);
  }
  assert.match(
    await refusal('--sbom=true', '--output', `type=local,dest=${folder}/out`),
    /Cannot write the sbom beside files/,
  );
});
