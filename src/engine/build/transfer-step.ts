import { posix } from 'node:path';

import { nowNs } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import type { JsonValue } from '#base/json.ts';
import type { AddInstruction, CopyInstruction } from '#formats/dockerfile/dockerfile.ts';
import { expandWord } from '#formats/dockerfile/expand-word.ts';
import { withoutCredentials } from '#formats/git-url.ts';
import type { Digest } from '#formats/oci.ts';
import { addSources } from './add-sources.ts';
import { isUncached, layerOf, type StageScope } from './build-job.ts';
import { type ContextTree, readContextTree } from './context-tree.ts';
import { extractArchive } from './files/extract-archive.ts';
import { type ModeChange, parseModeChange } from './files/change-mode.ts';
import { copyFiles } from './files/copy-files.ts';
import { hashFiles } from './files/hash-files.ts';
import { lookUpOwner } from './files/owner.ts';
import { selectFiles } from './files/select-files.ts';
import { inlineItem, type SourceItem } from './files/source-item.ts';
import type { StepOutcome, StepSnapshot } from './layer-steps.ts';
import type { Expander } from './metadata.ts';
import { type Origin, originOf } from './plan.ts';
import type { StageState } from './stage-state.ts';
import { stepKey } from './step-key.ts';
import { visibleVariables } from './variables.ts';

type Transfer = AddInstruction | CopyInstruction;

/** What the history says of `FROM` a named context. */
export const folderDescription = 'COPY / / # buildkit';

/** A COPY or ADD with all its words expanded. */
interface Request {
  readonly sources: readonly string[];
  /** Absolute; with a `/` at its end when it is meant as a folder. */
  readonly destination: string;
  readonly chown: string;
  readonly exclude: readonly string[];
  readonly mode: ModeChange | undefined;
  readonly inline: readonly SourceItem[];
  /** What of it decides what is made, the files aside. */
  readonly key: JsonValue;
  /** For the history. */
  readonly description: string;
}

/** Carries out COPY or ADD. Throws NotFound for a source that is not there, and what is wrong with the words. */
export async function transferStep(
  scope: StageScope,
  state: StageState,
  instruction: Transfer,
  expand: Expander,
  signal: AbortSignal,
): Promise<{ readonly outcome: StepOutcome; readonly createdBy: string }> {
  const request = expanded(scope, state, instruction, expand);
  const { description: createdBy } = request;
  const origin = originOfCopy(scope, instruction);
  if (instruction.kind === 'copy' && origin !== undefined && origin.kind !== 'folder') {
    const layer = await layerOf(scope, origin, signal);
    return { outcome: await copyFrom(scope, state, instruction, { request, layer }, signal), createdBy };
  }
  await using stack = new AsyncDisposableStack();
  const tree = origin?.kind === 'folder' ? await readContextTree(origin.path, ['.dockerignore']) : scope.job.context;
  const added =
    instruction.kind === 'add'
      ? await addSources(scope.job, instruction, request, stack, signal)
      : await contextFiles(tree, instruction, request, signal);
  const items = [...added, ...request.inline];
  const outcome = await place(scope, state, { request, items, owners: false, origin: 'context' }, signal);
  return { outcome, createdBy };
}

/** What `COPY --from` names; undefined for the build's own context. */
function originOfCopy({ job, index }: StageScope, instruction: Transfer): Origin | undefined {
  if (instruction.kind === 'add' || instruction.from === '') return undefined;
  return originOf(job, instruction.from, index, instruction.at);
}

/** All files of a named context as a layer on nothing. */
export async function folderLayer(scope: StageScope, path: string, signal: AbortSignal): Promise<StepOutcome> {
  const tree = await readContextTree(path, ['.dockerignore']);
  const items = await selectFiles({ ...tree, sources: ['/'], exclude: [], parents: false }, signal);
  const request = { destination: '/', chown: '', mode: undefined, key: ['/'], description: folderDescription };
  return await place(scope, { layer: undefined }, { request, items, owners: false, origin: 'context' }, signal);
}

/**
 * COPY --from: when the very layer was copied from before, its files need not be looked at; else their content decides,
 * as with the context.
 */
async function copyFrom(
  scope: StageScope,
  state: StageState,
  instruction: CopyInstruction,
  { request, layer }: { readonly request: Request; readonly layer: Digest | undefined },
  signal: AbortSignal,
): Promise<StepOutcome> {
  const { steps } = scope.job;
  const parts = [state.layer ?? null, request.key, [...request.sources], [...request.exclude], instruction.parents];
  const inline = await hashFiles(request.inline, { owners: false }, signal);
  const quickKey = stepKey('copy-from-layer', [layer ?? null, parts, inline]);
  const known = isUncached(scope) ? undefined : await steps.find(quickKey, request.description, signal);
  if (known !== undefined) return known;
  await using source = await steps.openSnapshot(layer);
  const nothing = { isEmpty: true, ignores: () => false, mayTakeBack: () => false };
  const { sources, exclude } = request;
  const found = await selectFiles(
    { root: source.root, sources, exclude, parents: instruction.parents, ignore: nothing },
    signal,
  );
  const items = [...found, ...request.inline];
  const outcome = await place(scope, state, { request, items, owners: true, origin: 'stage' }, signal);
  await steps.alias(quickKey, outcome, request.description);
  return outcome;
}

async function contextFiles(
  tree: ContextTree,
  { parents }: CopyInstruction,
  { sources, exclude }: Request,
  signal: AbortSignal,
): Promise<readonly SourceItem[]> {
  for (const source of sources)
    if (/^https?:\/\//i.test(source)) throw new StatusError('InvalidArgument', "source can't be a URL for COPY");
  return await selectFiles({ ...tree, sources, exclude, parents }, signal);
}

async function place(
  scope: StageScope,
  state: Pick<StageState, 'layer'>,
  files: {
    readonly request: Pick<Request, 'destination' | 'chown' | 'mode' | 'key' | 'description'>;
    readonly items: readonly SourceItem[];
    readonly owners: boolean;
    readonly origin: 'context' | 'stage';
  },
  signal: AbortSignal,
): Promise<StepOutcome> {
  const { request, items, owners, origin } = files;
  const { destination, mode, chown, description } = request;
  const content = await hashFiles(items, { owners: owners && chown === '' }, signal);
  const key = stepKey('copy', [state.layer ?? null, request.key, origin, content]);
  const run = async ({ root }: StepSnapshot, signal: AbortSignal): Promise<boolean> => {
    const nobody = { uid: 0, gid: 0 };
    const chosen = chown === '' ? undefined : lookUpOwner(root, chown);
    const owner = chosen ?? (origin === 'context' ? nobody : undefined);
    const plain = items.filter(({ isArchive }) => isArchive !== true);
    const folder = plain.length < items.length ? `${destination}/` : destination;
    const options = { root, destination: folder, folderOwner: chosen ?? nobody, mode };
    await copyFiles(plain, { ...options, owner }, signal);
    for (const item of items) await extractArchive(item, { ...options, owner: chosen }, signal);
    return true;
  };
  return await scope.job.steps.carryOut(
    { parent: state.layer, key, noCache: isUncached(scope), description, run },
    signal,
  );
}

function expanded({ job }: StageScope, state: StageState, instruction: Transfer, expand: Expander): Request {
  const variables = visibleVariables(state.args, state.defaults.Env ?? []);
  const inline = instruction.inlineFiles.map(({ name, content, expand: wanted }) =>
    inlineItem(name, wanted ? expandWord(content, variables, { literalQuotes: true }) : content, nowNs()),
  );
  const words = instruction.sources.map((source) => expand.word(source));
  const written = expand.word(instruction.destination);
  const destination = absolute(written, state.defaults.WorkingDir ?? '/');
  const chmod = expand.word(instruction.chmod);
  const chown = expand.word(instruction.chown);
  if (words.some((word) => word === '')) throw new StatusError('InvalidArgument', 'a source is empty after expansion');
  return {
    description: historyOf(instruction, { sources: words, inline, chown, written }),
    sources: words,
    destination,
    chown,
    exclude: instruction.exclude.map((pattern) => expand.word(pattern)),
    mode: chmod === '' ? undefined : parseModeChange(chmod),
    inline,
    key: [destination, chown, chmod, job.platform.architecture],
  };
}

/** A path of the image; `.`, `./` and a `/` at the end mean a folder. */
function absolute(path: string, workingDir: string): string {
  const full = posix.normalize(path.startsWith('/') ? path : posix.join('/', workingDir, path));
  const isFolder = path === '' || /(^|\/)\.{0,2}$/.test(path);
  return isFolder && !full.endsWith('/') ? `${full}/` : full;
}

function historyOf(
  instruction: Transfer,
  { sources, inline, chown, written }: Pick<Request, 'sources' | 'inline' | 'chown'> & { readonly written: string },
): string {
  const flags = [
    instruction.kind === 'copy' && instruction.parents ? '--parents' : '',
    chown === '' ? '' : `--chown=${chown}`,
    instruction.chmod === '' ? '' : `--chmod=${instruction.chmod}`,
  ].filter((flag) => flag !== '');
  const names = [...sources.map(withoutCredentials), ...inline.map(({ name }) => `<<${name}`)];
  return [instruction.kind.toUpperCase(), ...flags, ...names, written, '# buildkit'].join(' ');
}
