/**
 * Replaces `$(NAME)` by what `valueOf` says, as commands, arguments and variables of containers are expanded: `$$` is a
 * dollar sign, and what stays undefined is left as it is written.
 */
export function expand(text: string, valueOf: (name: string) => string | undefined): string {
  return text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (whole: string, name: string | undefined) =>
    name === undefined ? '$' : (valueOf(name) ?? whole),
  );
}
