/** `docker {run,create} --ip` to one text per alternative, as a shell does; braces with one word stay (`{id}` of a path). */
export function expandBraces(text: string): readonly string[] {
  const match = /\{([^{}]*,[^{}]*)\}/.exec(text);
  if (match === null) return [text];
  const [whole, words = ''] = match;
  return words
    .split(',')
    .flatMap((word) => expandBraces(text.slice(0, match.index) + word + text.slice(match.index + whole.length)));
}
