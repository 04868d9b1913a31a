import type { BuildEvent } from '#engine/build/builder.ts';
import type { BuildPlan, PlannedStage } from '#engine/build/plan.ts';
import type { Instruction, SourceFile } from '#formats/dockerfile/dockerfile.ts';
import type { LintWarning } from '#formats/dockerfile/lint/lint-dockerfile.ts';

import { buildSentence } from '../build-status.ts';
import type { StatusLog } from './status-log.ts';
import { Task } from './task.ts';

/** Instructions that make files, and so are shown as BuildKit does; the others take no time. */
const shown: ReadonlySet<Instruction['kind']> = new Set(['run', 'copy', 'add', 'workdir']);

/** Turns what the builder says into tasks of a build, one per step that makes files. */
export class BuildProgress {
  readonly #log: StatusLog;
  readonly #key: string;
  readonly #dockerfile: Task;
  readonly #source: SourceFile;
  readonly #platform: string;
  #tasks: ReadonlyMap<number, Task> = new Map();
  readonly #cached = new Set<Task>();
  #attempts = 0;

  /** `dockerfile`: the task that loaded it, to which warnings belong; `platform`: its name when there are several. */
  constructor(log: StatusLog, key: string, dockerfile: Task, source: SourceFile, platform = '') {
    this.#log = log;
    this.#key = key;
    this.#dockerfile = dockerfile;
    this.#source = source;
    this.#platform = platform;
  }

  readonly onEvent = (event: BuildEvent): void => {
    if (event.kind === 'plan') {
      this.#attempts += 1;
      const key = [this.#key, this.#platform, String(this.#attempts)].join(' ');
      this.#tasks = tasksOf(event.plan, this.#log, { key, platform: this.#platform });
    }
    if (event.kind === 'warning') this.#dockerfile.warn(event.text, this.#placeOf(event));
    const task = event.step === undefined ? undefined : this.#tasks.get(event.step);
    if (task !== undefined) this.#tell(task, event);
  };

  #placeOf({ lint }: { readonly lint?: LintWarning }): Parameters<Task['warn']>[1] {
    return lint === undefined ? undefined : { warning: lint, source: this.#source };
  }

  #tell(task: Task, event: BuildEvent): void {
    switch (event.kind) {
      case 'step':
        return task.start();
      case 'cached':
        this.#cached.add(task);
        return;
      case 'layer':
        return task.finish({ cached: this.#cached.has(task) });
      case 'failed':
        return task.finish({ error: event.canceled ? 'context canceled' : buildSentence(event.error) });
      case 'output':
        return task.output(event.bytes);
      case 'progress': {
        const { id, status, currentBytes, totalBytes } = event;
        const done = / (complete|exists)$|^Already/.test(status);
        const total = totalBytes === undefined ? {} : { total: totalBytes };
        return task.progress(id === '' ? status : id, { current: currentBytes ?? 0, ...total, done });
      }
      default:
    }
  }
}

function tasksOf(
  plan: BuildPlan,
  log: StatusLog,
  { key, platform }: { readonly key: string; readonly platform: string },
): ReadonlyMap<number, Task> {
  const tasks = new Map<number, Task>();
  // Stages on the same image share the task of getting it.
  const bases = new Map<string, Task>();
  const isAlone = plan.stages.length === 1 && plan.stages[0]?.stage.index === 0;
  for (const planned of plan.stages) {
    const steps = shownSteps(planned);
    const title = [platform, isAlone ? '' : stageName(planned)].map((part) => part && `${part} `).join('');
    for (const [index, { number, text }] of steps.entries()) {
      const width = String(steps.length).length;
      const name = `[${title}${String(index + 1).padStart(width)}/${String(steps.length)}] ${text}`;
      const before = tasks.get(steps[index - 1]?.number ?? 0);
      const task = new Task(log, `${key} ${String(number)}`, name, before === undefined ? [] : [before.digest]);
      const base = number === planned.firstStep ? `${text} ${planned.platform}` : '';
      tasks.set(number, (base === '' ? undefined : bases.get(base)) ?? task);
      if (base !== '' && !bases.has(base)) bases.set(base, task);
    }
  }
  return tasks;
}

/** A stage on another stage or on nothing has no step for its FROM. */
function shownSteps({ stage, base, firstStep }: PlannedStage): readonly { number: number; text: string }[] {
  const from = base.kind === 'image' ? [{ number: firstStep, text: `FROM ${base.name}` }] : [];
  const instructions = stage.instructions.map((instruction, index) => ({ instruction, number: firstStep + 1 + index }));
  return [
    ...from,
    ...instructions
      .filter(({ instruction }) => shown.has(instruction.kind))
      .map(({ instruction, number }) => ({ number, text: instruction.code.split('\n', 1)[0] ?? '' })),
  ];
}

function stageName({ stage }: PlannedStage): string {
  return stage.name === '' ? `stage-${String(stage.index)}` : stage.name;
}
