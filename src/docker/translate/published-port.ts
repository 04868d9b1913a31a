import { StatusError } from '#base/errors.ts';

export interface PortBinding {
  /** Key of HostConfig.PortBindings: `80/tcp`. */
  readonly port: string;
  readonly HostIp: string;
  readonly HostPort: string;
}

/** Reads `[address:][port[-port]:]port[/protocol]`, as the client's `-p` takes it; an IPv6 address in brackets. */
export function parsePublished(text: string): PortBinding {
  const [, bracketed, plain, hostPort = '', port = '', protocol = 'tcp'] =
    /^(?:(?:\[([0-9a-fA-F:.]+)\]|(\d+(?:\.\d+){3})):)?(?:(\d{0,5}(?:-\d{1,5})?):)?(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(
      text,
    ) ?? [];
  if (port === '')
    throw new StatusError(
      'InvalidArgument',
      `Cannot read the port "${text}": write [address:][host port:]container port[/udp], such as 8080:80`,
    );
  return { port: `${port}/${protocol}`, HostIp: bracketed ?? plain ?? '', HostPort: hostPort };
}

/** Whether a binding is meant by a text: a container's port (all its bindings), or one binding as it was published. */
export function meansPublished(text: string, binding: PortBinding): boolean {
  const wanted = parsePublished(text);
  if (wanted.port !== binding.port) return false;
  return (
    (wanted.HostPort === '' || wanted.HostPort === binding.HostPort) &&
    (wanted.HostIp === '' || wanted.HostIp === binding.HostIp)
  );
}
