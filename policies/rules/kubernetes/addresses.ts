/** How wide a block of addresses is that a network policy lets pods reach. */
import { readPath } from "../../core/value.ts";

/** Bits of a block as wide as a part of the internet, and of one that is a whole network of ours. */
const widest = 8;
const widestInner = 16;
/** Neighbours, other regions and the node's own credentials: what a job that goes out to an object store must not reach. */
const inner: Readonly<Record<"v4" | "v6", readonly string[]>> = { v4: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"], v6: ["fc00::/7", "fe80::/10"] };
/** Where a node answers for its own role; AWS's by IPv6 is fd00:ec2::254. */
const node = { v4: "169.254.0.0/16", v6: /^(fe80|fd00:ec2):/i };

/** What is wrong with an `ipBlock`; `undefined`: nothing. */
export function tooWideBlock(block: unknown): string | undefined {
  const cidr = readPath(block, ["cidr"]);
  const text = cidr.state === "known" && typeof cidr.value === "string" ? cidr.value : "";
  const bits = /\/(\d{1,3})$/.exec(text)?.[1];
  if (bits === undefined) return `has ${JSON.stringify(text)} for addresses`;
  const except = readPath(block, ["except"]);
  const excepted: readonly unknown[] = except.state === "known" && Array.isArray(except.value) ? except.value : [];
  if (Number(bits) >= widest) return excepted.includes(node.v4) ? undefined : tooWideWithin(text, Number(bits));
  const open = inner[text.includes(":") ? "v6" : "v4"].filter((range) => !excepted.includes(range));
  return open.length === 0 ? undefined : `is ${text} with ${open.join(", ")} in it`;
}

function tooWideWithin(text: string, bits: number): string | undefined {
  if (node.v6.test(text) || meet(text, node.v4)) return `is ${text}, where the node gives away its credentials`;
  return bits < widestInner && inner.v4.some((range) => meet(text, range)) ? `is ${text}: more than one network of ours` : undefined;
}

/** Whether two blocks of IPv4 have an address in common: one is then a part of the other. */
function meet(one: string, other: string): boolean {
  const [a, b] = [rangeOf(one), rangeOf(other)];
  return a !== undefined && b !== undefined && a.first <= b.last && b.first <= a.last;
}

function rangeOf(text: string): { readonly first: number; readonly last: number } | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const size = 2 ** (32 - (parts[4] ?? 32));
  const address = parts.slice(0, 4).reduce((sum, byte) => sum * 256 + byte, 0);
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}
