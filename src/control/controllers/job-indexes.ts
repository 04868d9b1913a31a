/** Numbers as `0-2,5`, rising, as the status of a job has them. What is no such text is left out. */
export function parseIndexes(text: string | undefined, below: number): Set<number> {
  const found = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const [, first, last] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part) ?? [];
    if (first === undefined) continue;
    const end = Math.min(Number(last ?? first), below - 1);
    for (let index = Number(first); index <= end; index += 1) found.add(index);
  }
  return found;
}

/** The other way; two neighbours are written with a comma, three as a range. */
export function indexesText(indexes: ReadonlySet<number>): string {
  const parts: string[] = [];
  let first: number | undefined;
  let last = -1;
  const end = (): void => {
    if (first === undefined) return;
    if (last === first) parts.push(String(first));
    else parts.push(`${String(first)}${last === first + 1 ? ',' : '-'}${String(last)}`);
  };
  for (const index of [...indexes].toSorted((one, other) => one - other)) {
    if (first !== undefined && index === last + 1) {
      last = index;
      continue;
    }
    end();
    first = index;
    last = index;
  }
  end();
  return parts.join(',');
}
