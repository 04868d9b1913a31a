/** The fields of an `attest:` option: `name=value,...`. */
export function attestFields(text: string): Readonly<Record<string, string>> {
  const fields = text.split(',').filter((field) => field !== '');
  return Object.fromEntries(
    fields.map((field): [string, string] => {
      const [name = '', ...value] = field.split('=');
      return [name, value.join('=')];
    }),
  );
}

export function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(1|t|true)$/i.test(text);
}
