import { execFile, execFileSync, spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { makeRoot } from './temp-root.ts';

export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` of a server that speaks git's protocol, and of one that only has files. */
  readonly smartUrl: string;
  readonly plainUrl: string;
  /** `Authorization` of the last request to the smart one. */
  readonly authorization: string;
  /** When set, the smart one wants this `Authorization`. */
  wanted: string;
  /** Makes `<name>.git` of these files on branch `main`, or adds a commit to it; returns the commit. */
  commit(name: string, files: Readonly<Record<string, string>>, tag?: string): string;
  /** Adds another of these repositories as a submodule at `path`. */
  addSubmodule(name: string, other: string, path: string): Promise<string>;
}

const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'protocol.file.allow=always', '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();

/** Repositories over http on loopback, made by git itself. */
export async function openGitServer(): Promise<GitServer> {
  const folder = makeRoot();
  let authorization = '';
  let wanted = '';
  const smart = createServer((request, response) => {
    authorization = request.headers.authorization ?? '';
    if (wanted !== '' && authorization !== wanted)
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="t"' }).end();
    else runBackend(folder, request, response);
  });
  const plain = createServer((request, response) => {
    const path = join(folder, new URL(request.url ?? '', 'http://x').pathname);
    if (existsSync(path) && statSync(path).isFile()) createReadStream(path).pipe(response);
    else response.writeHead(404).end();
  });
  const [smartUrl = '', plainUrl = ''] = await Promise.all(
    [smart, plain].map(async (server) => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    }),
  );
  const finish = (name: string): string => {
    git(join(folder, 'work', name), 'push', '--quiet', '--tags', 'origin', 'main');
    git(join(folder, `${name}.git`), 'update-server-info');
    return git(join(folder, 'work', name), 'rev-parse', 'HEAD');
  };
  const open = (name: string): string => {
    const work = join(folder, 'work', name);
    if (existsSync(work)) return work;
    mkdirSync(work, { recursive: true });
    git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', `${name}.git`);
    git(work, 'init', '--quiet', '--initial-branch=main');
    git(work, 'remote', 'add', 'origin', join(folder, `${name}.git`));
    return work;
  };
  return {
    smartUrl,
    plainUrl,
    get authorization() {
      return authorization;
    },
    get wanted() {
      return wanted;
    },
    set wanted(value) {
      wanted = value;
    },
    commit: (name, files, tag) => {
      const work = open(name);
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(work, path)), { recursive: true });
        writeFileSync(join(work, path), text);
      }
      git(work, 'add', '.');
      git(work, 'commit', '--quiet', '-m', 'one');
      if (tag !== undefined) git(work, 'tag', '-a', '-m', tag, tag);
      return finish(name);
    },
    addSubmodule: async (name, other, path) => {
      // It asks the server above, which a call that blocks would keep from answering.
      const args = ['submodule', '--quiet', 'add', `${smartUrl}/${other}.git`, path];
      await promisify(execFile)('git', args, { cwd: open(name) });
      git(open(name), 'commit', '--quiet', '-m', 'submodule');
      return finish(name);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([smart, plain].map((server) => server[Symbol.asyncDispose]()));
      rmSync(folder, { recursive: true });
    },
  };
}

/** git-http-backend(1) as a CGI program. */
function runBackend(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '', 'http://x');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  let head = Buffer.alloc(0);
  let started = false;
  child.stdout.on('data', (chunk: Buffer) => {
    if (started) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    started = true;
    for (const line of head.toString('latin1', 0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(/: (.*)/);
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.write(head.subarray(end + 4));
  });
  child.on('close', () => response.end());
}
