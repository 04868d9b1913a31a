/** What tests look into without saying its type first. */
// eslint-disable-next-line typescript/no-explicit-any -- bodies of many kinds, of which each test knows its own
export type Json = any;
