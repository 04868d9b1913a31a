import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Endpoint } from './networks.ts';
import { type FilesRequest, needsForwarder, parseExtraHost, sandboxFiles } from './sandbox-files.ts';

const host = {
  dns: { servers: ['192.0.2.1'], search: ['example.test'], options: [] },
  hosts: '127.0.0.1\tlocalhost\n192.0.2.9\tmachine\n\n',
  gateways: ['172.17.0.1'],
};
const endpoint = { ipv4Address: '172.18.0.2', ipv6Address: 'fd00::2' } as Endpoint;

test('on a network with names, the embedded server is asked', () => {
  const files = sandboxFiles(
    request({ extraHosts: ['db:10.0.0.1', 'gate=host-gateway', 'six:[fd00::9]'] }),
    [endpoint],
    true,
    host,
  );
  assert.equal(
    files.hosts,
    `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
172.18.0.2\tweb
fd00::2\tweb
10.0.0.1\tdb
172.17.0.1\tgate
fd00::9\tsix
`,
  );
  assert.match(files.resolvConf, /\nnameserver 127\.0\.0\.11\nsearch example\.test\noptions ndots:0\n$/);
  assert.equal(files.hostname, 'web\n');
});

test('a domain comes first in hosts', () => {
  const { hosts } = sandboxFiles(request({ domainname: 'example.test' }), [endpoint], true, host);
  assert.match(hosts, /^172\.18\.0\.2\tweb\.example\.test web$/m);
});

test('on the default bridge the servers of the host are copied, or those of the container', () => {
  assert.match(sandboxFiles(request({}), [endpoint], false, host).resolvConf, /\nnameserver 192\.0\.2\.1\nsearch/);
  const dns = { servers: ['127.0.0.1'], search: [], options: ['rotate'] };
  const { resolvConf } = sandboxFiles(request({ dns }), [endpoint], false, host);
  assert.match(resolvConf, /\nnameserver 127\.0\.0\.1\nsearch example\.test\noptions rotate\n$/);
});

test('a host that only has servers on loopback is asked through the embedded server', () => {
  const dns = { servers: ['127.0.0.53'], search: [], options: [] };
  assert.match(
    sandboxFiles(request({}), [endpoint], false, { ...host, dns }).resolvConf,
    /\nnameserver 127\.0\.0\.11\n$/,
  );
  assert.equal(needsForwarder(request({ mode: 'none' }), dns), false);
  assert.equal(needsForwarder(request({ dns: { ...dns, servers: ['192.0.2.5'] } }), dns), false);
});

test('in the namespace of the host its files hold', () => {
  const dns = { servers: ['127.0.0.53'], search: [], options: [] };
  const files = sandboxFiles(request({ mode: 'host', extraHosts: ['x:10.0.0.1'] }), [], false, { ...host, dns });
  assert.equal(files.hosts, '127.0.0.1\tlocalhost\n192.0.2.9\tmachine\n10.0.0.1\tx\n');
  assert.match(files.resolvConf, /\nnameserver 127\.0\.0\.53\n$/);
});

test('extra hosts that are none are refused', () => {
  for (const text of ['', 'name', ':10.0.0.1', 'name:', 'name:x', 'a b:10.0.0.1', 'a\nb:10.0.0.1', 'name:10.0.0.1 x']) {
    assert.throws(() => parseExtraHost(text), { reason: 'InvalidArgument' }, text);
  }
});

function request(change: Partial<FilesRequest>): FilesRequest {
  const dns = { servers: [], search: [], options: [] };
  return { mode: 'networks', hostname: 'web', domainname: '', dns, extraHosts: [], ...change };
}
