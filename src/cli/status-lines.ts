import type { StatusReport } from '#app/control-protocol.ts';
import type { InstancePaths } from '#app/instance-paths.ts';

import { columns } from './output.ts';

/** A status report for a person. */
export function statusLines(report: StatusReport, paths: InstancePaths): readonly string[] {
  const since = new Date(report.startedAtMs).toISOString().replace('T', ' ').slice(0, 19);
  return [
    `slipway ${report.version} is ${report.state} (process ${String(report.pid)}, since ${since} UTC)`,
    ...columns(
      [
        ...report.planes.map(({ name, state, message }) => [name, state, message]),
        ['containers', `${String(report.containers.running)} running`, `${String(report.containers.total)} in all`],
        ['images', String(report.images), ''],
        ['data', '', paths.data],
        ['log', '', paths.logFile],
      ],
      '  ',
    ),
  ];
}

/** How Docker's clients reach it: nothing to do when the usual path leads to it. */
export function clientHint(report: StatusReport): string | undefined {
  return report.dockerSocketLinked ? undefined : `export DOCKER_HOST=unix://${report.dockerSocket}`;
}
