import { selectionOf, selectionOfMap, selectionText, type SelectorObject } from '../selectors/label-selector.ts';

export const none = '<none>';
export const unset = '<unset>';

/** `app=web,tier=front`, `<none>` when there are none. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  return selectionText(selectionOfMap(labels)) || none;
}

/** A LabelSelector in an object as text; `<none>` for an empty one, `<error>` for one that has no meaning. */
export function selectorText(selector: SelectorObject | undefined): string {
  const selection = selectionOf(selector);
  return selection === undefined ? '<error>' : selectionText(selection) || none;
}

/** The first `most` of some texts; `a,b,c + 2 more...`, or `empty` without any. */
export function shortList(texts: readonly string[], most: number, empty: string, separator = ','): string {
  const shown = texts.slice(0, most).join(separator);
  if (texts.length > most) return `${shown} + ${String(texts.length - most)} more...`;
  return shown === '' ? empty : shown;
}
