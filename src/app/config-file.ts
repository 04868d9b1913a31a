import { isMap, isScalar, LineCounter, parseDocument, type Pair } from 'yaml';

/** One setting in the file, or a section without settings (`name` undefined). */
export interface FileEntry {
  readonly section: string;
  readonly name: string | undefined;
  readonly value: unknown;
  /** 1-based. */
  readonly line: number;
}

export interface ConfigFile {
  readonly entries: readonly FileEntry[];
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

/** Takes slipway.yaml apart: sections of settings, each with its line. Duplicate keys and aliases bombs are problems. */
export function readYaml(text: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, stringKeys: true });
  const lineOf = (offset: number | undefined): number => (offset === undefined ? 1 : lines.linePos(offset).line);
  const problems = document.errors.map((error) => ({
    line: lineOf(error.pos[0]),
    message: error.message.split(/ at line|\n/)[0] ?? error.message,
  }));
  if (problems.length > 0 || document.contents === null) return { entries: [], problems };
  if (!isMap(document.contents)) return { entries: [], problems: [{ line: 1, message: 'want sections of settings' }] };

  const entries: FileEntry[] = [];
  for (const pair of document.contents.items) {
    const section = keyOf(pair);
    const line = lineOf(startOf(pair));
    if (isScalar(pair.value) && pair.value.value === null)
      entries.push({ section, name: undefined, value: null, line });
    else if (!isMap(pair.value)) problems.push({ line, message: `section ${section} is not a map of settings` });
    else if (pair.value.items.length === 0) entries.push({ section, name: undefined, value: null, line });
    else
      for (const inner of pair.value.items) {
        const name = keyOf(inner);
        const value: unknown = document.toJS({ maxAliasCount: 10 })[section][name];
        entries.push({ section, name, value, line: lineOf(startOf(inner)) });
      }
  }
  return { entries, problems };
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

function startOf(pair: Pair): number | undefined {
  return isScalar(pair.key) ? pair.key.range?.[0] : undefined;
}
