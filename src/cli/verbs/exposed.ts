import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { listeningSockets } from '#sys/process-sockets.ts';

import { ControlClient } from '../control-client.ts';
import { type ExposedRow, exposedRows, firewallText } from '../exposed/exposed-rows.ts';
import { inputVerdict } from '../exposed/input-verdict.ts';
import { columns } from '../output.ts';
import type { Verb } from '../verb.ts';

const listingBytesMost = 64 * 1024 * 1024;

export const exposed: Verb = {
  usage: '[--json]',
  description:
    'Shows what can be reached, from where, and which rule lets it in: published ports of containers, what\n' +
    'containers in the network of the host listen on, and the sockets of Slipway itself. The last column says\n' +
    'what the input rules of the host (ufw, firewalld, nftables, iptables) do with the port, and whether they\n' +
    'are asked at all: packets to published ports are forwarded, which input rules do not see. See the settings\n' +
    'engine.publishAddress and engine.respectHostFirewall.',
  options: { json: { type: 'boolean', summary: 'print the rows as JSON' } },
  operandsMost: 0,
  needsRoot: true,
  run: async ({ paths, flag, output, signal }) => {
    const report = await new ControlClient(paths.controlSocket).exposure(signal);
    const rules = inputRules();
    if (rules === undefined) output.note('cannot read the input rules of this host; they count as not there');
    const rows = exposedRows(report, {
      verdict: (knock) => inputVerdict(rules ?? [], knock),
      sockets: listeningSockets,
    });
    if (flag('json')) output.line(JSON.stringify(rows));
    else for (const line of table(rows)) output.line(line);
    return 0;
  },
};

function table(rows: readonly ExposedRow[]): readonly string[] {
  const title = ['ADDRESS', 'LEADS TO', 'REACHED FROM', 'BECAUSE', 'HOST FIREWALL'];
  const cells = rows.map((row) => [
    row.protocol === 'unix' ? row.address : `${row.address}/${row.protocol}`,
    row.target,
    row.reach,
    row.rule,
    firewallText(row),
  ]);
  return columns([title, ...cells]);
}

/** Undefined when they cannot be listed. */
function inputRules(): readonly unknown[] | undefined {
  const child = join(import.meta.dirname, '../exposed/input-chains-child.ts');
  const { status, stdout } = spawnSync(process.execPath, [child], { encoding: 'utf8', maxBuffer: listingBytesMost });
  return status === 0 ? (JSON.parse(stdout) as readonly unknown[]) : undefined;
}
