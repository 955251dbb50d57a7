import type { ResourceReader } from "../../core/resource.ts";
import { unset, type ResourceRule, type Verdict } from "../../core/rule.ts";
import { readPath } from "../../core/value.ts";
import { membersOf, shown } from "./pod-spec.ts";
import { hasUnknown, isEverything } from "./selector.ts";

/** A block of addresses as wide as a part of the internet. */
const widest = 8;
/** Neighbours, other regions and the node's own credentials: what a job that goes out to an object store must not reach. */
const inner: Readonly<Record<"v4" | "v6", readonly string[]>> = { v4: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"], v6: ["fc00::/7", "fe80::/10"] };

export const egressAllowList: ResourceRule = {
  kind: "resource",
  id: "egress-allow-list",
  severity: "high",
  enforcement: "mandatory",
  protects: "A stolen pod that may go anywhere sends the backups out, reaches its neighbours, and asks the node for its credentials.",
  fix: 'Name "Egress" in spec.policyTypes, and in each entry of spec.egress the ports and the peers, none of which may be everybody; except private addresses from public ones.',
  types: ["kubernetes:networking.k8s.io/v1:NetworkPolicy"],
  breaks: {
    "spec.policyTypes": ["Ingress"],
    "spec.egress": [{}],
    "spec.egress[*].to": [],
    "spec.egress[*].to[*]": {},
    "spec.egress[*].ports": [],
    "spec.egress[*].ports[*].port": unset,
  },
  judge(resource, verdict) {
    verdict.property(resource, "spec.policyTypes", (types) => (Array.isArray(types) && types.includes("Egress") ? undefined : `${shown(types)}, without "Egress": whatever goes out is let through`));
    for (const entry of membersOf(resource, "spec.egress", verdict) ?? []) {
      for (const peer of someOf(entry, "to", "names nobody, which is everybody", verdict)) judgePeer(peer, verdict);
      for (const port of someOf(entry, "ports", "names no port, which is every port", verdict)) verdict.property(port, "port", (number) => (typeof number === "number" || (typeof number === "string" && /^[a-z0-9-]{1,15}$/.test(number)) ? undefined : `${shown(number)}, which is every port`));
    }
  },
};

function someOf(entry: ResourceReader, field: string, none: string, verdict: Verdict): readonly ResourceReader[] {
  const members = membersOf(entry, field, verdict) ?? [];
  if (members.length === 0 && entry.read(field).state !== "unknown") verdict.violation(entry, entry.pathOf(field), none);
  return members;
}

/** As a whole: a part that is left out makes another part wider. */
function judgePeer(peer: ResourceReader, verdict: Verdict): void {
  verdict.property(peer, [], (value) => (hasUnknown(value) ? undefined : tooWide(value)));
  const reading = peer.read([]);
  if (reading.state === "known" && hasUnknown(reading.value)) verdict.unjudged(peer, peer.where);
}

function tooWide(peer: unknown): string | undefined {
  const part = (name: string) => {
    const reading = readPath(peer, [name]);
    return reading.state === "known" ? reading.value : undefined;
  };
  const [block, namespaces, pods] = [part("ipBlock"), part("namespaceSelector"), part("podSelector")];
  if (block !== undefined) return tooWideBlock(block);
  const everyOne = (selector: unknown) => selector === undefined || isEverything(selector) === "yes";
  return everyOne(namespaces) && everyOne(pods) ? `${shown(peer)}: every pod within reach` : undefined;
}

function tooWideBlock(block: unknown): string | undefined {
  const cidr = readPath(block, ["cidr"]);
  const text = cidr.state === "known" && typeof cidr.value === "string" ? cidr.value : "";
  const bits = /\/(\d{1,3})$/.exec(text)?.[1];
  if (bits === undefined) return `has ${JSON.stringify(text)} for addresses`;
  if (Number(bits) >= widest) return undefined;
  const except = readPath(block, ["except"]);
  const excepted: readonly unknown[] = except.state === "known" && Array.isArray(except.value) ? except.value : [];
  const open = inner[text.includes(":") ? "v6" : "v4"].filter((range) => !excepted.includes(range));
  return open.length === 0 ? undefined : `is ${text} with ${open.join(", ")} in it`;
}
