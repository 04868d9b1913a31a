/** Globs of the unit tests: no root, no network, no waiting. */
export const unitTests: readonly string[] = ['src/**/*.test.ts', 'tests/kit/**/*.test.ts', 'tests/arch.test.ts'];

/** Globs of the end-to-end tests: root, the real kernel, real clients. */
export const endToEndTests: readonly string[] = ['tests/e2e/**/*.test.ts'];
