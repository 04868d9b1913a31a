import { constants } from 'node:os';

const lastRealtimeSignal = 64;

/** Whether a text names a signal of Linux as STOPSIGNAL takes it: `SIGTERM`, `term`, `15`, `SIGRTMIN+3`. */
export function isSignal(text: string): boolean {
  if (/^[0-9]{1,2}$/.test(text)) return Number(text) >= 1 && Number(text) <= lastRealtimeSignal;
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realtime = /^RTM(?:IN|AX)(?:[+-]([0-9]{1,2}))?$/.exec(name);
  if (realtime !== null) return Number(realtime[1] ?? '0') <= 30;
  return Object.hasOwn(constants.signals, `SIG${name}`);
}
