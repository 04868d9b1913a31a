import { absolutePath, listOf } from '../setting.ts';
import { socketSetting } from './socket-setting.ts';

export const dockerSettings = {
  socket: {
    type: absolutePath,
    summary: 'the unix socket of the Docker Engine API',
    default: '',
    defaultText: '/run/slipway/docker.sock below the root',
  },
  sockets: {
    type: listOf(
      socketSetting,
      `a list of sockets, each ${socketSetting.name}; in text path:role[:project] with commas`,
    ),
    summary: 'further sockets of the Docker Engine API, for clients that may do less',
    default: [],
    defaultText: 'none',
  },
} as const;
