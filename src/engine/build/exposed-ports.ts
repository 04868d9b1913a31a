import { StatusError } from '#base/errors.ts';

const highestPort = 65_535;
const protocols = ['tcp', 'udp', 'sctp'];

/** The ports of EXPOSE as an image's configuration names them: `80/tcp`, ranges spelled out, sorted. */
export function exposedPorts(words: readonly string[]): readonly string[] {
  const ports = new Set<string>();
  for (const word of words) {
    const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?(?:\/([A-Za-z]+))?$/.exec(word);
    const protocol = (match?.[3] ?? 'tcp').toLowerCase();
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null) throw invalid(word, 'it must be <port>[-<port>][/<protocol>]');
    if (!protocols.includes(protocol)) throw invalid(word, `the protocol must be one of ${protocols.join(', ')}`);
    if (first < 1 || last > highestPort || first > last) throw invalid(word, 'ports go from 1 to 65535');
    for (let port = first; port <= last; port += 1) ports.add(`${String(port)}/${protocol}`);
  }
  return [...ports].sort();
}

function invalid(word: string, why: string): StatusError {
  return new StatusError('InvalidArgument', `invalid containerPort: ${word}: ${why}`);
}
