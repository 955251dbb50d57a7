/**
 * Whether a name could have both patterns, in which `*` stands for anything and `?` for one character, as in AWS's
 * policies: a pattern that merely may be a workload's is as good as its name.
 */
export function patternsMeet(one: string, other: string): boolean {
  if (one === "" && other === "") return true;
  if (one.startsWith("*")) return patternsMeet(one.slice(1), other) || (other !== "" && patternsMeet(one, other.slice(1)));
  if (other.startsWith("*")) return patternsMeet(other, one);
  const meets = one !== "" && other !== "" && (one[0] === other[0] || one[0] === "?" || other[0] === "?");
  return meets && patternsMeet(one.slice(1), other.slice(1));
}
