import { allowedCode } from './allowlist.ts';
import type { Module, SyntaxNode } from './module.ts';
import { dottedName, isNode, stringValue } from './module.ts';
import { perModule, roomOf, type Rule } from './rule.ts';

type Finding = { readonly line: number; readonly what: string };

const timersAndChance = /^(setTimeout|setInterval|Date\.now|Math\.random|performance\.now|AbortSignal\.timeout)$/;
const commandsOfLinux =
  /(^|\/)(ip|nft|iptables|ip6tables|iptables-restore|mount|umount|tc|bridge|brctl|sysctl|modprobe|nsenter|unshare|chroot|setfattr|tar)$/;
const spawnCalls = /(^|\.)(spawn|spawnSync|exec|execSync|execFile|execFileSync)$/;
const vagueWords = /(Manager|Helper|Util|Utils|Impl)$/;

const timeFromBase = onNodes(
  {
    name: 'time and chance come from base',
    reason:
      'A core without a clock can be tested without waiting: take sleep, after, every, deadline, nowMs from #base/clock.ts, ids from #base/ids.ts.',
    broken: { 'src/engine/a.ts': 'setTimeout(() => {}, 5);' },
  },
  (node, module) => {
    if (node.type === 'ImportDeclaration' && stringValue(node['source'])?.startsWith('node:timers') === true)
      return namesSetTimeout(node) ? 'imports a bare timer' : undefined;
    if (
      node.type === 'NewExpression' &&
      dottedName(node['callee']) === 'Date' &&
      listOf(node['arguments']).length === 0
    )
      return module.isTest ? undefined : 'new Date()';
    const name = node.type === 'CallExpression' ? dottedName(node['callee']) : '';
    return timersAndChance.test(name) ? name : undefined;
  },
);

const noLinuxCommands = onNodes(
  {
    name: 'Linux is reached by system calls',
    reason: 'Spawning ip, nft, mount or tar costs ten to a thousand times the call, and answers in prose: use #sys.',
    broken: { 'src/engine/runtime/a.ts': `spawn('/sbin/ip', ['link']);` },
  },
  (node, module) => {
    if (module.isTest || node.type !== 'CallExpression' || !spawnCalls.test(dottedName(node['callee'])))
      return undefined;
    const command = stringValue(listOf(node['arguments'])[0]) ?? '';
    return commandsOfLinux.test(command.split(' ')[0] ?? '') ? `starts ${command}` : undefined;
  },
);

const signalLast = onNodes(
  {
    name: 'the AbortSignal is the last parameter',
    reason: 'One place for it makes a missing one visible.',
    broken: { 'src/base/a.ts': 'export function a(signal: AbortSignal, b: number): void {}' },
  },
  (node) => {
    const signals = listOf(node['params'] ?? node['parameters']).map(isSignal);
    return signals.slice(0, -1).includes(true) ? 'AbortSignal before other parameters' : undefined;
  },
);

const noGlobalState = onNodes(
  {
    name: 'no state at the top of a module',
    reason: 'State has an owner with a lifetime; a module is loaded once and shared by all.',
    broken: { 'src/base/a.ts': 'let count = 0;\nexport const next = () => (count += 1);' },
  },
  (node, module, parent) => {
    const top = parent?.type === 'Program' || parent?.type === 'ExportNamedDeclaration';
    if (module.isTest || !top || node.type !== 'VariableDeclaration') return undefined;
    return node['kind'] === 'const' ? undefined : 'top-level let';
  },
);

const noWorkAtImport = onNodes(
  {
    name: 'no work at import',
    reason: 'Importing a file must be free, so that each verb and plane pays only for itself.',
    broken: { 'src/base/a.ts': 'start();' },
  },
  (node, module, parent) =>
    !module.isTest && module.path !== 'src/main.ts' && parent?.type === 'Program' && node.type === 'ExpressionStatement'
      ? 'a statement at the top level'
      : undefined,
);

const sayTheNoun = onNodes(
  {
    name: 'say the noun',
    reason: 'Manager, Helper, Util and Impl say nothing; what cannot be named in one noun is two things.',
    broken: { 'src/base/a.ts': 'export class ImageManager {}' },
  },
  (node) => {
    const declares = /^(Class|Function|TSInterface|TSTypeAlias)(Declaration|Expression)$/.test(node.type);
    const name = declares ? dottedName(node['id']) : '';
    return vagueWords.test(name) ? name : undefined;
  },
);

const kebabNames: Rule = perModule(
  {
    name: 'files are named in kebab-case',
    reason: 'One spelling, on every filesystem.',
    broken: { 'src/base/imageStore.ts': '' },
  },
  function* (module) {
    const name = module.path.split('/').at(-1) ?? '';
    if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(name)) yield { line: 1, what: name };
    if (/(^|-)(manager|helpers?|utils?|impl|misc|common)\b/.test(name)) yield { line: 1, what: `${name} is no noun` };
  },
);

const environmentAtDoor = onNodes(
  {
    name: 'the environment is read at one door',
    reason: 'Settings come through src/app/config.ts, where `config explain` can name their source.',
    broken: { 'src/engine/a.ts': 'export const a = () => process.env.HOME;' },
  },
  (node, module) => {
    if (module.isTest || ['app', 'cli', 'main.ts'].includes(roomOf(module.path))) return undefined;
    return node.type === 'MemberExpression' && dottedName(node) === 'process.env' ? 'process.env' : undefined;
  },
);

const noConsole = onNodes(
  {
    name: 'nothing is printed past the log or the CLI',
    reason: 'The daemon speaks through its logger, the CLI through src/cli/output; exits belong to src/main.ts.',
    broken: { 'src/engine/a.ts': `console.log('hello');` },
  },
  (node, module) => {
    if (module.isTest || module.path === 'src/main.ts' || node.type !== 'CallExpression') return undefined;
    const name = dottedName(node['callee']);
    return name.startsWith('console.') || /^process\.(exit|abort|chdir)$/.test(name) ? name : undefined;
  },
);

const testsRun = onNodes(
  {
    name: 'every test runs',
    reason: 'A skipped test is a hole that looks like a wall; a skip carries its reason as a string.',
    broken: { 'src/base/a.test.ts': `test.only('x', () => {});` },
  },
  (node) => {
    if (
      node.type === 'CallExpression' &&
      /^(test|it|describe|suite)\.(only|skip|todo)$/.test(dottedName(node['callee']))
    )
      return dottedName(node['callee']);
    if (node.type !== 'Property' || !isNode(node['value']) || node['value']['value'] !== true) return undefined;
    return ['skip', 'only', 'todo'].includes(dottedName(node['key'])) ? `${dottedName(node['key'])}: true` : undefined;
  },
);

const nothingUnfinished: Rule = perModule(
  {
    name: 'nothing unfinished is committed',
    reason: 'What is missing is refused with a sentence and stands in docs/non-goals.md, not in a comment.',
    broken: { 'src/base/a.ts': '// FIXME: write this' },
  },
  function* (module) {
    for (const [index, text] of module.text.split('\n').entries()) {
      if (/\b(TODO|FIXME|XXX|HACK)\b/.test(text) && !module.path.startsWith('tests/arch/'))
        yield { line: index + 1, what: text.trim() };
    }
  },
);

export const codeRules: readonly Rule[] = [
  timeFromBase,
  noLinuxCommands,
  signalLast,
  noGlobalState,
  noWorkAtImport,
  sayTheNoun,
  kebabNames,
  environmentAtDoor,
  noConsole,
  testsRun,
  nothingUnfinished,
];

/** A rule about single nodes of the syntax tree. */
function onNodes(
  rule: Omit<Rule, 'check'>,
  find: (node: SyntaxNode, module: Module, parent: SyntaxNode | undefined) => string | undefined,
): Rule {
  return perModule(rule, function* (module): Generator<Finding> {
    if (allowedCode[rule.name]?.[module.path] !== undefined) return;
    for (const [node, parent] of module.nodes) {
      const what = find(node, module, parent);
      if (what !== undefined) yield { line: module.lineOf(node.start), what };
    }
  });
}

function namesSetTimeout(declaration: SyntaxNode): boolean {
  return listOf(declaration['specifiers']).some((one) => dottedName(one['imported']) !== 'setImmediate');
}

function isSignal(parameter: SyntaxNode): boolean {
  const annotation = parameter['typeAnnotation'];
  const type = isNode(annotation) ? annotation['typeAnnotation'] : undefined;
  return isNode(type) && dottedName(type['typeName']) === 'AbortSignal';
}

function listOf(value: unknown): readonly SyntaxNode[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}
