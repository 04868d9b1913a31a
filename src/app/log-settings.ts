import { choice } from './setting.ts';

export const logSettings = {
  level: {
    type: choice('debug', 'info', 'warn', 'error'),
    summary: 'the least important lines that the daemon logs',
    default: 'info',
  },
} as const;
