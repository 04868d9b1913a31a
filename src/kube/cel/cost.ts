import type { ASTNode } from '@marcbachmann/cel-js';

/** Steps that one expression may take; more is refused before it begins. */
export const costMost = 10_000_000;

const loops: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'existsOne']);

/** What bounds the work of an expression: how large it is, and how deep its loops are within each other. */
export interface CostShape {
  readonly nodes: number;
  readonly loopDepth: number;
}

export function costShape(ast: ASTNode): CostShape {
  let nodes = 0;
  const visit = (node: unknown): number => {
    if (Array.isArray(node)) return Math.max(0, ...node.map(visit));
    if (!isNode(node)) return 0;
    nodes += 1;
    const below = visit(node.args);
    const isLoop = node.op === 'rcall' && Array.isArray(node.args) && loops.has(node.args[0]);
    return below + Number(isLoop);
  };
  const loopDepth = visit(ast);
  return { nodes, loopDepth };
}

/** An upper bound of steps for values of a size: each loop may go over all of it. */
export function costOf({ nodes, loopDepth }: CostShape, size: number): number {
  return nodes * Math.max(1, size) ** loopDepth;
}

/** How many values a value is made of, texts by their length in lines of 32; counting ends at a bound. */
export function sizeOf(value: unknown, most = 1_000_000): number {
  if (typeof value === 'string') return 1 + value.length / 32;
  if (typeof value !== 'object' || value === null) return 1;
  let size = 1;
  for (const part of Object.values(value)) {
    size += sizeOf(part, most - size);
    if (size >= most) return most;
  }
  return size;
}

export function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}
