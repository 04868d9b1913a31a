import { isObject } from '#base/json.ts';

/** A path of printer columns and selectable fields (client-go, util/jsonpath), as far as definitions may have it. */
export type JsonPath = (value: unknown) => readonly unknown[];

type Step = (value: unknown) => readonly unknown[];

const stepPatterns: readonly (readonly [RegExp, (match: RegExpExecArray) => Step])[] = [
  [/^\.\.(?:\*)?/, () => descendants],
  [/^\.?\*/, () => children],
  [/^\[\*\]/, () => children],
  [
    /^\[(-?\d+)\]/,
    ([, index = '']) =>
      (value) =>
        Array.isArray(value) ? [value.at(Number(index)) as unknown] : [],
  ],
  [/^\['((?:[^'\\]|\\.)*)'\]/, ([, name = '']) => field(unescaped(name))],
  [/^\["((?:[^"\\]|\\.)*)"\]/, ([, name = '']) => field(unescaped(name))],
  [
    /^\[\?\(\s*@((?:\.(?:[^.[\]\s=!<>\\]|\\.)+)+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|(true|false|-?\d+(?:\.\d+)?))\s*\)\]/,
    (match) => filter(match),
  ],
  [/^\.((?:[^.[\]\\\s]|\\.)+)/, ([, name = '']) => field(unescaped(name))],
  [/^\.$/, () => (value) => [value]],
];

/** Undefined: the text is no path that we can follow. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: Step[] = [];
  let rest = /^\{.*\}$/.test(text) ? text.slice(1, -1) : text;
  rest = rest.replace(/^[$@]/, '');
  if (rest === '') return undefined;
  while (rest !== '') {
    const found = stepPatterns
      .map(([pattern, make]) => [pattern.exec(rest), make] as const)
      .find(([match]) => match !== null);
    if (found?.[0] === undefined || found[0] === null) return undefined;
    steps.push(found[1](found[0]));
    rest = rest.slice(found[0][0].length);
  }
  return (value) =>
    steps
      .reduce<readonly unknown[]>((values, step) => values.flatMap(step), [value])
      .filter((one) => one !== undefined);
}

function unescaped(name: string): string {
  return name.replaceAll(/\\(.)/g, '$1');
}

function field(name: string): Step {
  return (value) => (isObject(value) && Object.hasOwn(value, name) ? [value[name]] : []);
}

function children(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}

function descendants(value: unknown): readonly unknown[] {
  return [value, ...children(value).flatMap(descendants)];
}

function filter([, path = '', operator, double, single, bare]: RegExpExecArray): Step {
  const find = parseJsonPath(path);
  const wanted = double ?? single ?? (JSON.parse(bare ?? 'null') as unknown);
  return (value) =>
    children(value).filter((item) => {
      const [found] = find?.(item) ?? [];
      return operator === '==' ? found === wanted : found !== wanted;
    });
}
