import { absolutePath } from '../setting.ts';

export const dockerSettings = {
  socket: {
    type: absolutePath,
    summary: 'the unix socket of the Docker Engine API',
    default: '',
    defaultText: '/run/slipway/docker.sock below the root',
  },
} as const;
