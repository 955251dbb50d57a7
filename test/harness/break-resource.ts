import type { ResourceFacts } from "../../policies/core/resource.ts";
import { unset } from "../../policies/core/rule.ts";
import { formatOf } from "../../policies/core/text.ts";
import type { Path } from "../../policies/core/value.ts";

/** The same resource with another value at each of some paths, also inside of text that is a file of configuration. */
export function breakResource(facts: ResourceFacts, paths: readonly Path[], value: unknown): ResourceFacts {
  // The last of a list goes first: taking one away moves those behind it.
  const backwards = paths.toSorted((a, b) => compare(b, a));
  return { ...facts, props: backwards.reduce<unknown>((props, path) => changed(props, path, value, ""), facts.props) as Readonly<Record<string, unknown>> };
}

function compare(a: Path, b: Path): number {
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (part !== other) return typeof part === "number" && typeof other === "number" ? part - other : String(part) < String(other) ? -1 : 1;
  }
  return a.length - b.length;
}

function changed(root: unknown, path: Path, value: unknown, key: string): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return value;
  if (typeof root === "string") {
    const format = formatOf(key);
    return format.write(changed(format.read(root), path, value, key));
  }
  if (Array.isArray(root) && typeof part === "number") {
    const members: readonly unknown[] = root;
    if (rest.length === 0 && value === unset) return members.filter((_, index) => index !== part);
    return Object.assign([...members], { [part]: changed(members[part], rest, value, String(part)) });
  }
  const before: Readonly<Record<string, unknown>> = typeof root === "object" && root !== null ? { ...root } : {};
  if (rest.length === 0 && value === unset) return Object.fromEntries(Object.entries(before).filter(([name]) => name !== part));
  return { ...before, [part]: changed(before[part], rest, value, String(part)) };
}
