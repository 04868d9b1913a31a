import { splitWords } from './split-words.ts';

/** A here-document as its line announces it. */
export interface HeredocStart {
  readonly name: string;
  readonly expand: boolean;
  /** `<<-`: tabs at the beginning of lines are not part of it. */
  readonly chomp: boolean;
}

/** The here-documents that a line opens, in order; 'unbalanced' quotes in a name give undefined. */
export function heredocsOf(line: string): readonly HeredocStart[] {
  return splitWords(line, '\\').flatMap((word) => heredocOf(word) ?? []);
}

/** `<<NAME`, `3<<-"NAME"`: the here-document that a word opens. A quoted name forbids expansion. */
export function heredocOf(word: string): HeredocStart | undefined {
  const match = /^\d*<<(-?)([^<]+)$/.exec(word);
  if (match === null) return undefined;
  const written = match[2] ?? '';
  const name = unquote(written);
  if (name === undefined || name === '') return undefined;
  return { name, expand: name === written, chomp: match[1] === '-' };
}

/** Removes quotes and escapes of a word; undefined when a quote stays open. */
function unquote(word: string): string | undefined {
  let quote = '';
  let text = '';
  for (let at = 0; at < word.length; at += 1) {
    const character = word.charAt(at);
    if (character === '\\' && quote !== "'") {
      at += 1;
      text += word.charAt(at);
    } else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
    else text += character;
  }
  return quote === '' ? text : undefined;
}
