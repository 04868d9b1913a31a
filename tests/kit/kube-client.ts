import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { Http2Transport } from '#remote/http2-transport.ts';
import { readKubeconfig } from '#remote/kubeconfig.ts';

import type { Instance } from './instance.ts';

/** A connection to the Kubernetes API of an instance with its administrator's certificate. */
export function connectTo(instance: Instance): Http2Transport {
  const config = parseKubeconfig(readFileSync(instance.paths.kubeconfig, 'utf8'));
  return new Http2Transport(readKubeconfig(config, { readFile: assert.fail }), { userAgent: 'slipway-test' });
}

/** Reads what our own kubeconfig is made of: one cluster, one user, one context, with texts in quotes. */
function parseKubeconfig(text: string): unknown {
  const field = (name: string): string => {
    const quoted = new RegExp(`^\\s*${name}: (.*)$`, 'm').exec(text)?.[1] ?? assert.fail(`no ${name}`);
    return quoted.startsWith('"') ? String(JSON.parse(quoted)) : quoted;
  };
  return {
    'current-context': 'main',
    contexts: [{ name: 'main', context: { cluster: 'c', user: 'u' } }],
    clusters: [
      {
        name: 'c',
        cluster: { server: field('server'), 'certificate-authority-data': field('certificate-authority-data') },
      },
    ],
    users: [
      {
        name: 'u',
        user: {
          'client-certificate-data': field('client-certificate-data'),
          'client-key-data': field('client-key-data'),
        },
      },
    ],
  };
}
