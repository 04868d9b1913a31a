import type { ASTNode } from '@marcbachmann/cel-js';

/** Macros that run their argument once for each item. */
const loops = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** How deep loops stand within each other: what a list of n items costs is n to this power. */
export function loopDepth(node: ASTNode): number {
  const [own, inner] = [isLoop(node) ? 1 : 0, partsOf(node.args)];
  return own + Math.max(0, ...inner.map(loopDepth));
}

/** The most items of a list or map anywhere in a value. */
export function longestList(value: unknown): number {
  const items: readonly unknown[] = Array.isArray(value) ? value : value instanceof Map ? [...value.values()] : [];
  return items.reduce<number>((most, item) => Math.max(most, longestList(item)), items.length);
}

function isLoop(node: ASTNode): boolean {
  return node.op === 'rcall' && loops.has(node.args[0]);
}

function partsOf(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(partsOf);
  return typeof args === 'object' && args !== null && 'op' in args ? [args as ASTNode] : [];
}
