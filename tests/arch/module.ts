import { parseSync } from 'oxc-parser';

/** A node of the syntax tree (ESTree with TypeScript, as oxc-parser gives it); other fields are read by name. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Import {
  /** As written: `./x.ts`, `#room/x.ts`, `node:fs` or a package's name. */
  readonly specifier: string;
  /** `export ... from`. */
  readonly reexport: boolean;
  readonly line: number;
}

export interface FunctionShape {
  /** 1-based. */
  readonly line: number;
  readonly lineCount: number;
  readonly node: SyntaxNode;
  readonly parent: SyntaxNode | undefined;
}

/** A TypeScript file as the rules see it. */
export interface Module {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lineCount: number;
  readonly isTest: boolean;
  readonly imports: readonly Import[];
  readonly functions: readonly FunctionShape[];
  /** Every node with its parent, in source order. */
  readonly nodes: readonly (readonly [SyntaxNode, SyntaxNode | undefined])[];
  lineOf(offset: number): number;
}

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Throws when the text does not parse. */
export function parseModule(path: string, text: string): Module {
  const result = parseSync(path, text);
  if (result.errors.length > 0) throw new Error(`${path} does not parse: ${result.errors[0]?.message ?? ''}`);
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const lineOf = (offset: number): number => lineStarts.findLastIndex((start) => start <= offset) + 1;
  const nodes = [...walk(result.program as unknown as SyntaxNode, undefined)];
  return {
    path,
    text,
    lineCount: text.endsWith('\n') ? lineStarts.length - 1 : lineStarts.length,
    isTest: !path.startsWith('src/') || path.endsWith('.test.ts'),
    imports: importsOf(nodes, lineOf),
    functions: nodes.flatMap(([node, parent]) => {
      if (!functionTypes.has(node.type)) return [];
      const line = lineOf(node.start);
      return [{ line, lineCount: lineOf(node.end) - line + 1, node, parent }];
    }),
    nodes,
    lineOf,
  };
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** `a.b` for a member expression of names, the name for an identifier, else ''. */
export function dottedName(node: unknown): string {
  if (!isNode(node)) return '';
  if (node.type === 'Identifier') return node['name'] as string;
  if (node.type !== 'MemberExpression' || node['computed'] === true) return '';
  const object = dottedName(node['object']);
  return object === '' ? '' : `${object}.${dottedName(node['property'])}`;
}

/** The value of a string literal, else undefined. */
export function stringValue(node: unknown): string | undefined {
  if (!isNode(node) || node.type !== 'Literal') return undefined;
  return typeof node['value'] === 'string' ? node['value'] : undefined;
}

function* walk(
  node: SyntaxNode,
  parent: SyntaxNode | undefined,
): Generator<readonly [SyntaxNode, SyntaxNode | undefined]> {
  yield [node, parent];
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) for (const item of value) if (isNode(item)) yield* walk(item, node);
    if (isNode(value)) yield* walk(value, node);
  }
}

const importTypes: ReadonlySet<string> = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
]);

function importsOf(nodes: Module['nodes'], lineOf: Module['lineOf']): Import[] {
  return nodes.flatMap(([node]) => {
    const specifier = importTypes.has(node.type) ? stringValue(node['source']) : undefined;
    if (specifier === undefined) return [];
    return [{ specifier, reexport: node.type.startsWith('Export'), line: lineOf(node.start) }];
  });
}
