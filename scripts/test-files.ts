import { globSync } from 'node:fs';

import { repository } from './run-part.ts';

const kubernetesRooms = ['apiserver', 'control', 'kube', 'pki', 'remote', 'store'];
const isOfKubernetes = (path: string): boolean => kubernetesRooms.includes(path.split('/')[1] ?? '');
const all = globSync(['src/**/*.test.ts', 'tests/kit/**/*.test.ts', 'tests/arch.test.ts'], {
  cwd: repository,
}).toSorted();

/** The unit tests, no root, no network, no waiting: two rows of about the same length, for two processors. */
export const unitTests: Readonly<Record<'unit' | 'kubernetes', readonly string[]>> = {
  unit: all.filter((path) => !isOfKubernetes(path)),
  kubernetes: all.filter(isOfKubernetes),
};

/** Globs of the end-to-end tests: root, the real kernel, real clients. */
export const endToEndTests: readonly string[] = ['tests/e2e/**/*.test.ts'];
