/** One line of a Redis or Sentinel configuration file: its name and its arguments. */
export type Directive = readonly [name: string, ...args: readonly (string | number)[]];

/** Redis splits lines as a shell does: whatever is not plain goes into double quotes, escaped. */
function quoted(argument: string | number): string {
  const text = String(argument);
  if (/[\0\r\n]/.test(text)) throw new RangeError("an argument of a Redis directive cannot hold a line's end");
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

export const directives = (lines: readonly Directive[]): string => lines.map(([name, ...args]) => [name, ...args.map(quoted)].join(" ")).join("\n") + "\n";
