import { dottedName, isNode, type Module, stringValue, type SyntaxNode } from '../../arch/module.ts';
import { expandBraces } from './expand-braces.ts';

export type State = 'works' | 'refused' | 'not applicable';

/** A test that shows what becomes of something. */
export interface Proof {
  readonly subject: string;
  readonly state: State;
  /** The test's file and name; parts of a name that are computed are shown as `…`. */
  readonly file: string;
  readonly test: string;
  /** What the daemon says when it refuses, or why it does not apply; '' else. */
  readonly sentence: string;
  /** The source text of the test without the mark itself. */
  readonly text: string;
}

/** Fields of table rows, and what they say of the row. */
const states: Readonly<Record<string, State>> = {
  proves: 'works',
  refuses: 'refused',
  inapplicable: 'not applicable',
};

/** The proofs in one test file: calls of `proves` and `refuses` in a test's arguments, and rows of tables with such a field. */
export function findProofs(module: Module): readonly Proof[] {
  return module.nodes.flatMap(([node, parent]) => {
    if (node.type === 'CallExpression') return proofsOfCall(module, node, parent);
    return node.type === 'ObjectExpression' ? proofsOfRow(module, node) : [];
  });
}

function proofsOfCall(module: Module, call: SyntaxNode, parent: SyntaxNode | undefined): readonly Proof[] {
  const mark = dottedName(call['callee']);
  if (mark !== 'proves' && mark !== 'refuses') return [];
  const test = parent?.type === 'VariableDeclarator' ? testWith(module, dottedName(parent['id'])) : parent;
  if (test?.type !== 'CallExpression') return [];
  const words = listOf(call['arguments']).map(literal);
  const sentence = mark === 'refuses' ? (words[0] ?? '') : '';
  const subjects = mark === 'refuses' ? words.slice(1) : words;
  return subjects.flatMap(expandBraces).map((subject) => ({
    subject,
    state: states[mark] ?? 'works',
    file: module.path,
    test: literal(listOf(test['arguments'])[0]),
    sentence,
    text: textWithout(module, test, call),
  }));
}

/** The test that has a mark of this name among its arguments. */
function testWith(module: Module, name: string): SyntaxNode | undefined {
  const takes = (node: SyntaxNode): boolean => listOf(node['arguments']).some((one) => dottedName(one) === name);
  return module.nodes.find(([node]) => node.type === 'CallExpression' && takes(node))?.[0];
}

function proofsOfRow(module: Module, row: SyntaxNode): readonly Proof[] {
  const fields = new Map(
    listOf(row['properties']).map((property) => [dottedName(property['key']), property['value']] as const),
  );
  return Object.entries(states).flatMap(([mark, state]) => {
    const value = fields.get(mark);
    if (!isNode(value)) return [];
    const subjects = value.type === 'ArrayExpression' ? listOf(value['elements']).map(literal) : [literal(value)];
    return subjects.flatMap(expandBraces).map((subject) => ({
      subject,
      state,
      file: module.path,
      test: subject,
      sentence: literal(valueOf(module, fields.get('because') ?? fields.get('sentence'))),
      text: textWithout(module, row, value),
    }));
  });
}

/** What a name stands for, where the module says so by a constant. */
function valueOf(module: Module, node: unknown): unknown {
  const name = dottedName(node);
  if (name === '') return node;
  const declaration = module.nodes.find(([one]) => one.type === 'VariableDeclarator' && dottedName(one['id']) === name);
  return declaration?.[0]['init'] ?? node;
}

function textWithout(module: Module, whole: SyntaxNode, part: SyntaxNode): string {
  return module.text.slice(whole.start, part.start) + module.text.slice(part.end, whole.end);
}

function listOf(value: unknown): readonly SyntaxNode[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The text of a string, of a template with `…` for what is computed, or of a pattern; '' for anything else. */
function literal(node: unknown): string {
  const text = stringValue(node);
  if (text !== undefined || !isNode(node)) return text ?? '';
  if (node.type === 'TemplateLiteral') {
    return listOf(node['quasis'])
      .map((quasi) => (quasi['value'] as { readonly cooked: string }).cooked)
      .join('…');
  }
  const pattern = node['regex'] as { readonly pattern: string } | undefined;
  return pattern?.pattern ?? '';
}
