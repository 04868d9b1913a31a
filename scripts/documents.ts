import { allSettings, variableOf } from '#app/config.ts';
import { reasons } from '#base/errors.ts';
import { describeOptions, globalOptions } from '#cli/command-line.ts';
import { verbs } from '#cli/verbs.ts';
import { apiRoutes } from '#docker/api-routes.ts';
import { swarmRoutes } from '#docker/swarm/swarm-routes.ts';
import type { Uploads } from '#docker/uploads.ts';
import { compatibilityPage } from '#kit/compatibility/compatibility-page.ts';
import { FakeEngine } from '#kit/fake-engine/fake-engine.ts';
import { silentLogger } from '#base/logger.ts';

import { dependencyList } from './dependency-list.ts';
import type { RenderedDocument } from './render-documents.ts';

/** All documents that are rendered from code. */
export const documents: readonly RenderedDocument[] = [
  { path: 'docs/errors.md', render: errorsPage },
  { path: 'docs/cli.md', render: commandLinePage },
  { path: 'docs/configuration.md', render: configurationPage },
  { path: 'docs/docker-compatibility.md', render: dockerCompatibilityPage },
  { path: 'deps.txt', render: dependencyList },
];

function errorsPage(): string {
  const rows = Object.entries(reasons).map(([reason, { httpStatus, exitCode, action }]) => [
    `\`${reason}\``,
    String(httpStatus),
    String(exitCode),
    action,
  ]);
  return page('Errors', 'src/base/errors.ts', [
    'Every failure that its caller can act on has one of these reasons. The Docker API answers with the HTTP status and',
    '`{"message"}`, the command line prints the message and ends with the exit code. A message says what could not be',
    'done, what the state is now, and the way out: `Cannot <verb> <thing> "<name>": <state now>; <the way out>`.',
    'Decide by status or exit code, never by the text.',
    '',
    ...table(['Reason', 'HTTP status', 'Exit code', 'What to do'], rows),
  ]);
}

async function commandLinePage(): Promise<string> {
  const lines = [
    '`slipway [--root DIR] VERB [OPTION]...`; `./slipway` in the source tree is the same and installs what is missing',
    'for `up` and `test`. The exit code is 0, or one of [errors.md](errors.md).',
    '',
    ...table(
      ['Verb', 'What it does'],
      verbs.map(({ name, summary }) => [`[${name}](#${name.replaceAll(' ', '-')})`, summary]),
    ),
    '',
    'Options of every verb:',
    '',
    ...optionTable(globalOptions),
  ];
  for (const row of verbs) {
    const { name } = row;
    const verb = await row.load();
    lines.push('', `## ${name}`, `\`slipway ${`${name} ${verb.usage}`.trim()}\``, '', verb.description);
    if (verb.needsRoot) lines.push('', 'Needs root.');
    if (Object.keys(verb.options).length > 0) lines.push('', ...optionTable(verb.options));
  }
  return page('Command line', 'src/cli/verbs.ts', lines);
}

function optionTable(options: Parameters<typeof describeOptions>[0]): readonly string[] {
  const rows = describeOptions(options).map(([option, summary]) => [`\`${option}\``, summary]);
  return table(['Option', 'What it does'], rows);
}

function configurationPage(): string {
  const settings = allSettings();
  const lines = [
    'Settings come from `--set KEY=VALUE` of `slipway up` and `slipway daemon`, from the environment, from',
    '`/etc/slipway/slipway.yaml` (below the root of a moved instance), and from the defaults: the first that has one wins.',
    '`slipway config explain` prints each value in force and where it came from. An unknown key or a value of the wrong',
    'type stops the start with its line. A change takes effect at the next start; containers run on meanwhile.',
    '',
    ...table(
      ['Key', 'What it is', 'Default'],
      settings.map(([key, { summary, default: value, defaultText }]) => [
        `[${key}](#${key.replaceAll('.', '').toLowerCase()})`,
        summary,
        defaultText ?? `\`${JSON.stringify(value)}\``,
      ]),
    ),
  ];
  for (const [key, { type, summary }] of settings) {
    lines.push('', `## ${key}`, `${sentence(summary)} Value: ${type.name}. Variable: \`${variableOf(key)}\`.`);
  }
  return page('Configuration', 'src/app/config.ts', lines);
}

function dockerCompatibilityPage(): string {
  return page('Docker compatibility', 'the marks in the tests', compatibilityPage(ownEndpoints()));
}

/** `METHOD /path` of each route, but for those that only say that there is no swarm and no plugin. */
function ownEndpoints(): readonly string[] {
  const engine = new FakeEngine('/nowhere').asEngine();
  const routes = apiRoutes({ engine, logger: silentLogger, versionInfo: { version: '' }, uploads: {} as Uploads });
  const nameOf = ({ method, path }: (typeof routes)[number]): string => `${method} ${path.replaceAll('*}', '}')}`;
  const refusals = new Set(swarmRoutes().map(nameOf));
  return routes.map(nameOf).filter((name) => !refusals.has(name));
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

function page(title: string, source: string, lines: readonly string[]): string {
  return [
    `# ${title}`,
    `<!-- Rendered from ${source} by \`npm run docs\`; change it there. -->`,
    '',
    ...lines,
    '',
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
