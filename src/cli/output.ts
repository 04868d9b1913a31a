/** Where the CLI prints. */
export interface Output {
  /** A line for the user or the next program. */
  line(text: string): void;
  /** Bytes or text as it is. */
  raw(text: string): void;
  /** A line about the work itself: progress and errors. */
  note(text: string): void;
  /** stdout is a terminal. */
  readonly isTerminal: boolean;
}

export const processOutput: Output = {
  line: (text) => process.stdout.write(`${text}\n`),
  raw: (text) => process.stdout.write(text),
  note: (text) => process.stderr.write(`${text}\n`),
  get isTerminal() {
    return process.stdout.isTTY;
  },
};

/** Rows in columns, two spaces apart; the last column is not padded. */
export function columns(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows.map((row) =>
    `${indent}${row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  ')}`.trimEnd(),
  );
}
