import type { Service, ServicePort } from '#kube/types/gen/core-v1.ts';

type Variable = readonly [name: string, value: string];

/**
 * The variables by which containers find services: those of their namespace when links are on, and always those of the
 * API server. A port without a protocol is TCP.
 */
export function serviceVariables(services: readonly Service[], namespace: string, hasLinks: boolean): Variable[] {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const { name = '', namespace: home } = service.metadata;
    if (!hasAddress(service)) continue;
    if (home === 'default' && name === 'kubernetes') chosen.set(name, chosen.get(name) ?? service);
    else if (home === namespace && hasLinks) chosen.set(name, service);
  }
  return [...chosen].sort(([one], [other]) => (one < other ? -1 : 1)).flatMap(([, service]) => variablesOf(service));
}

function hasAddress({ spec }: Service): boolean {
  return spec?.clusterIP !== undefined && spec.clusterIP !== '' && spec.clusterIP !== 'None';
}

function variablesOf({ metadata, spec }: Service): Variable[] {
  const prefix = variableName(metadata.name ?? '');
  const address = spec?.clusterIP ?? '';
  const ports = spec?.ports ?? [];
  const named = ports.filter(({ name }) => name !== undefined && name !== '');
  return [
    [`${prefix}_SERVICE_HOST`, address],
    [`${prefix}_SERVICE_PORT`, String(ports[0]?.port ?? 0)],
    ...named.map((port): Variable => [
      `${prefix}_SERVICE_PORT_${variableName(port.name ?? '')}`,
      String(port.port ?? 0),
    ]),
    ...ports.flatMap((port, index) => linkVariables(prefix, address, port, index === 0)),
  ];
}

/** As Docker's links named them. */
function linkVariables(prefix: string, address: string, port: ServicePort, isFirst: boolean): Variable[] {
  const protocol = port.protocol ?? 'TCP';
  const number = String(port.port ?? 0);
  const host = address.includes(':') ? `[${address}]` : address;
  const url = `${protocol.toLowerCase()}://${host}:${number}`;
  const portPrefix = `${prefix}_PORT_${number}_${protocol.toUpperCase()}`;
  return [
    ...(isFirst ? [[`${prefix}_PORT`, url] as const] : []),
    [portPrefix, url],
    [`${portPrefix}_PROTO`, protocol.toLowerCase()],
    [`${portPrefix}_PORT`, number],
    [`${portPrefix}_ADDR`, address],
  ];
}

function variableName(name: string): string {
  return name.replaceAll('-', '_').toUpperCase();
}
