import { systemDockerSocket } from '#app/docker-socket-link.ts';

import type { Check } from '../check.ts';

export const dockerSocket: Check = {
  name: 'docker socket',
  run: (host) => {
    const ours = host.paths.dockerSocket;
    const hint = `export DOCKER_HOST=unix://${ours}`;
    if (host.paths.instance !== '') return { state: 'ok', text: `this root has its own socket; ${hint}` };
    const target = host.linkTarget(systemDockerSocket);
    if (target === ours) return { state: 'ok', text: `${systemDockerSocket} leads to ${ours}` };
    if (!host.exists(systemDockerSocket)) {
      return { state: 'ok', text: `nobody has ${systemDockerSocket}; slipway up makes it lead to ${ours}` };
    }
    return { state: 'warn', text: `${systemDockerSocket} belongs to another Docker`, fix: hint };
  },
};
