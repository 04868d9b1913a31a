import type { Instruction, Stage } from '../dockerfile.ts';
import type { Finding, LintRule } from './lint-rules.ts';

/** Names that secrets have, and those that only look so (BuildKit, convert.go, getSecretsRegex). */
const secretName = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const publicName = /(?:_|^)public(?:_|$)/i;

const onlyLastCounts: readonly string[] = ['cmd', 'entrypoint', 'healthcheck'];

/** What single instructions of a stage say. */
export function instructionFindings({ instructions }: Stage): readonly Finding[] {
  const hasShell = (index: number): boolean => instructions.slice(0, index).some(({ kind }) => kind === 'shell');
  return instructions.flatMap((instruction, index) => [
    ...commandFindings(instruction, hasShell(index)),
    ...(isOverridden(instruction, instructions.slice(index + 1)) ? [overridden(instruction)] : []),
    ...workdirFindings(instruction, instructions.slice(0, index)),
    ...nameFindings(instruction),
    ...exposeFindings(instruction),
  ]);
}

function commandFindings(instruction: Instruction, hasShell: boolean): readonly Finding[] {
  const { kind } = instruction;
  if (kind === 'maintainer')
    return [found('MaintainerDeprecated', instruction, 'Maintainer instruction is deprecated in favor of using label')];
  if ((kind !== 'cmd' && kind !== 'entrypoint') || instruction.command.form === 'exec' || hasShell) return [];
  const what = `JSON arguments recommended for ${kind.toUpperCase()}`;
  return [found('JSONArgsRecommended', instruction, `${what} to prevent unintended behavior related to OS signals`)];
}

function isOverridden({ kind }: Instruction, later: readonly Instruction[]): boolean {
  return onlyLastCounts.includes(kind) && later.some((other) => other.kind === kind);
}

function overridden(instruction: Instruction): Finding {
  const text = `Multiple ${instruction.kind.toUpperCase()} instructions should not be used in the same stage because only the last one will be used`;
  return found('MultipleInstructionsDisallowed', instruction, text);
}

/** Only the first of a stage is looked at: mending it mends those after it. */
function workdirFindings(instruction: Instruction, before: readonly Instruction[]): readonly Finding[] {
  if (instruction.kind !== 'workdir' || before.some(({ kind }) => kind === 'workdir')) return [];
  // What a variable holds is only known when the stage is built.
  if (/^["']?[/$]/.test(instruction.value)) return [];
  const text = `Relative workdir ${JSON.stringify(instruction.value)} can have unexpected results if the base image changes`;
  return [found('WorkdirRelativePath', instruction, text)];
}

function nameFindings(instruction: Instruction): readonly Finding[] {
  const { kind, code } = instruction;
  if (kind !== 'env' && kind !== 'label' && kind !== 'arg') return [];
  const names = kind === 'arg' ? instruction.args.map(({ name }) => name) : instruction.pairs.map(({ name }) => name);
  const keyword = kind.toUpperCase();
  const findings: Finding[] = [];
  if (kind !== 'label')
    for (const name of names.filter((one) => secretName.test(one) && !publicName.test(one))) {
      const text = `Do not use ARG or ENV instructions for sensitive data (${keyword} ${JSON.stringify(name)})`;
      findings.push(found('SecretsUsedInArgOrEnv', instruction, text));
    }
  if (kind !== 'arg' && !(code.split(/\s+/)[1] ?? '').includes('=')) {
    const text = `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`;
    findings.push(found('LegacyKeyValueFormat', instruction, text));
  }
  return findings;
}

function exposeFindings(instruction: Instruction): readonly Finding[] {
  if (instruction.kind !== 'expose') return [];
  return instruction.values
    .filter((value) => /\/.*[A-Z]/.test(value) && !value.includes('$'))
    .map((value) => {
      const text = `Defined protocol '${value}' in EXPOSE instruction should be lowercase`;
      return found('ExposeProtoCasing', instruction, text);
    });
}

function found(rule: LintRule, { at }: Instruction, text: string): Finding {
  return { rule, text, at };
}
