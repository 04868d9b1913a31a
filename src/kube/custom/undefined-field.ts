import type { ASTNode } from '@marcbachmann/cel-js';

import { isNode } from '../cel/cost.ts';
import { celName } from './cel-value.ts';
import { isEmbedded, isIntOrString, valuesSchema, type JsonSchema } from './json-schema.ts';

/** Finds a field that an expression names and the schema of its variables does not have: a mistake in the expression. */
export function undefinedField(ast: ASTNode, variables: Readonly<Record<string, JsonSchema>>): string | undefined {
  const search = new FieldSearch();
  search.visit(ast, new Map(Object.entries(variables)));
  return search.found;
}

type Scope = ReadonlyMap<string, JsonSchema | undefined>;

const loops: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

class FieldSearch {
  found: string | undefined;

  /** The schema of what a part of the expression is; undefined: it is not known. */
  visit(node: unknown, scope: Scope): JsonSchema | undefined {
    if (Array.isArray(node)) {
      for (const part of node) this.visit(part, scope);
      return undefined;
    }
    if (!isNode(node)) return undefined;
    switch (node.op) {
      case 'id':
        return scope.get(node.args);
      case '.':
      case '.?':
        return this.#field(this.visit(node.args[0], scope), node.args[1]);
      case '[]':
      case '[?]': {
        const owner = this.visit(node.args[0], scope);
        this.visit(node.args[1], scope);
        return owner?.type === 'array' ? owner.items : owner === undefined ? undefined : valuesSchema(owner);
      }
      case 'rcall':
        return this.#call(node.args[0], node.args[1], node.args[2], scope);
      default:
        this.visit(node.args, scope);
        return undefined;
    }
  }

  #field(owner: JsonSchema | undefined, name: unknown): JsonSchema | undefined {
    if (owner === undefined || typeof name !== 'string') return undefined;
    const values = valuesSchema(owner);
    if (owner.properties === undefined && values !== undefined) return values;
    if (isIntOrString(owner) || owner.type === undefined) return undefined;
    const own = Object.entries(owner.properties ?? {}).find(([property]) => celName(property) === name)?.[1];
    const isWhole = isEmbedded(owner) && ['apiVersion', 'kind', 'metadata'].includes(name);
    if (own === undefined && !isWhole) this.found ??= name;
    return own;
  }

  #call(name: string, receiver: ASTNode, args: readonly ASTNode[], scope: Scope): JsonSchema | undefined {
    const owner = this.visit(receiver, scope);
    const [variable, ...bodies] = args;
    if (!loops.has(name) || variable?.op !== 'id') {
      this.visit(args, scope);
      return undefined;
    }
    const inner = new Map(scope);
    // Of a list the variable is an item, of a map a key.
    inner.set(variable.args, owner?.type === 'array' ? owner.items : undefined);
    this.visit(bodies, inner);
    return name === 'filter' && owner?.type === 'array' ? owner : undefined;
  }
}
