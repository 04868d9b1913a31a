import { Environment } from '@marcbachmann/cel-js';

import { registerLists, registerSets } from './collections.ts';
import { registerMath } from './math.ts';
import { registerNetwork } from './network.ts';
import { registerQuantity } from './quantities.ts';
import { registerText } from './text.ts';

/** Expressions are bounded when they are read; how long they run is bounded by `cost.ts`. */
const limits = { maxAstNodes: 20_000, maxDepth: 100, maxListElements: 1000, maxMapEntries: 1000, maxCallArguments: 32 };

/**
 * CEL with the functions that Kubernetes adds (quantities, addresses, URLs, lists, sets, text, formats) and variables of any
 * type; `any`: of any name, too.
 */
export function celEnvironment(variables: readonly string[] | 'any'): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: variables === 'any',
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits,
  });
  for (const register of [registerText, registerLists, registerSets, registerMath, registerQuantity, registerNetwork])
    register(environment);
  if (variables !== 'any') for (const name of variables) environment.registerVariable(name, 'dyn');
  return environment;
}
