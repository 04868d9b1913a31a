import type { Check } from '../check.ts';

const mebibyteKb = 1024;
const needMb = 128;

export const memory: Check = {
  name: 'memory',
  run: (host) => {
    const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(host.read('/proc/meminfo') ?? '')?.[1];
    if (kilobytes === undefined) return { state: 'warn', text: '/proc/meminfo does not say what is available' };
    const available = Math.round(Number(kilobytes) / mebibyteKb);
    const text = `${String(available)} MiB are available`;
    if (available >= needMb) return { state: 'ok', text };
    return { state: 'warn', text: `only ${text}`, fix: 'docker stats --no-stream' };
  },
};
