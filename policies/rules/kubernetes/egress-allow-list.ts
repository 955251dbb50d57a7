import type { ResourceReader } from "../../core/resource.ts";
import { unset, type ResourceRule, type Verdict } from "../../core/rule.ts";
import { hasUnknown, readPath, shown } from "../../core/value.ts";
import { tooWideBlock } from "./addresses.ts";
import { membersOf } from "./pod-spec.ts";
import { isEverything, matches } from "./selector.ts";

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
    "spec.egress[*].ports[*].endPort": 65_535,
  },
  judge(resource, verdict) {
    verdict.property(resource, "spec.policyTypes", (types) => (Array.isArray(types) && types.includes("Egress") ? undefined : `${shown(types)}, without "Egress": whatever goes out is let through`));
    for (const entry of membersOf(resource, "spec.egress", verdict) ?? []) {
      for (const peer of someOf(entry, "to", "names nobody, which is everybody", verdict)) judgePeer(peer, verdict);
      for (const port of someOf(entry, "ports", "names no port, which is every port", verdict)) judgePort(port, verdict);
    }
  },
};

/** One port, or one by its name: from 1 to the last is every port too. */
function judgePort(port: ResourceReader, verdict: Verdict): void {
  verdict.property(port, "port", (number) => (typeof number === "number" || (typeof number === "string" && /^(?=.*[a-z])[a-z0-9-]{1,15}$/.test(number)) ? undefined : `${shown(number)}, which is every port`));
  verdict.property(port, "endPort", (last) => {
    const first = port.read("port");
    return last === undefined || (first.state === "known" && first.value === last) ? undefined : `${shown(last)}: a range of ports; name each`;
  });
}

function someOf(entry: ResourceReader, field: string, none: string, verdict: Verdict): readonly ResourceReader[] {
  const members = membersOf(entry, field, verdict) ?? [];
  if (members.length === 0 && entry.read(field).state !== "unknown") verdict.violation(entry, entry.pathOf(field), none);
  return members;
}

/** As a whole: a part that is left out makes another part wider. */
const judgePeer = (peer: ResourceReader, verdict: Verdict): void => verdict.property(peer, [], (value) => (hasUnknown(value) ? undefined : tooWide(value)));

const anyNamespace = { "kubernetes.io/metadata.name": "any" };

function tooWide(peer: unknown): string | undefined {
  const part = (name: string) => {
    const reading = readPath(peer, [name]);
    return reading.state === "known" ? reading.value : undefined;
  };
  const [block, namespaces, pods] = [part("ipBlock"), part("namespaceSelector"), part("podSelector")];
  if (block !== undefined) return tooWideBlock(block);
  const everyOne = (selector: unknown) => selector === undefined || isEverything(selector) === "yes";
  // Kubernetes labels every namespace with its name: that there is one, or that it is not some other, is true of all.
  const everyNamespace = everyOne(namespaces) || matches(namespaces, anyNamespace) === "yes";
  return everyNamespace && everyOne(pods) ? `${shown(peer)}: every pod within reach` : undefined;
}
