import { join } from 'node:path';

import { certificateStatus, type CertificateStatus } from '#pki/certificate-status.ts';

import type { Check, Finding, Host } from '../check.ts';

/** Those that the daemon renews by itself, and the authorities, which it does not. */
const renewed = ['apiserver', 'admin'];
const authorities = ['ca', 'front-proxy-ca'];
const dayMs = 86_400_000;

export const certificates: Check = {
  name: 'certificates',
  run: (host) => {
    const all = [...authorities, ...renewed].flatMap((name) => statusOf(host, name));
    if (all.length === 0)
      return { state: 'ok', text: 'none yet: they are made when the Kubernetes API is started first' };
    const broken = all.find(({ status }) => status === undefined);
    if (broken !== undefined) return unreadable(host, broken.name);
    const known = all.flatMap(({ name, status }) => (status === undefined ? [] : [{ name, status }]));
    const bad = known.find(({ status }) => status.state === 'expired' || status.state === 'not yet valid');
    if (bad !== undefined) return findingOf(bad.name, bad.status);
    const next = known.toSorted((a, b) => a.status.notAfterMs - b.status.notAfterMs)[0];
    const days = Math.floor(((next?.status.notAfterMs ?? 0) - host.nowMs) / dayMs);
    return {
      state: 'ok',
      text: `${String(known.length)} are valid, the first ends in ${String(days)} days and is renewed before`,
    };
  },
};

function statusOf(host: Host, name: string): readonly { name: string; status: CertificateStatus | undefined }[] {
  const text = host.read(join(host.paths.pki, `${name}.crt`));
  if (text === undefined) return [];
  try {
    return [{ name, status: certificateStatus(text, host.nowMs) }];
  } catch {
    return [{ name, status: undefined }];
  }
}

function findingOf(name: string, { state, notBeforeMs, notAfterMs, subject }: CertificateStatus): Finding {
  const when = new Date(state === 'expired' ? notAfterMs : notBeforeMs).toISOString().slice(0, 10);
  const text = `${name} (${subject}) ${state === 'expired' ? 'has ended on' : 'is valid only from'} ${when}`;
  // The daemon looks at its start, and half-hourly.
  if (renewed.includes(name))
    return {
      state: 'warn',
      text: `${text}; the daemon makes a new one when it starts`,
      fix: 'slipway down && slipway up',
    };
  return {
    state: 'fail',
    text: `${text}, and with it all that it signed; is the clock right?`,
    fix: 'timedatectl set-ntp true',
  };
}

function unreadable(host: Host, name: string): Finding {
  const path = join(host.paths.pki, `${name}.crt`);
  const text = `${path} is no certificate`;
  if (renewed.includes(name))
    return {
      state: 'warn',
      text: `${text}; the daemon makes a new one when it starts`,
      fix: 'slipway down && slipway up',
    };
  return { state: 'fail', text: `${text}; without it nobody trusts this cluster: restore it from a backup` };
}
