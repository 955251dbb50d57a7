import { secretRegions } from "../../../plan/secrets.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

export const secretReplicated: ResourceRule = {
  kind: "resource",
  id: "secret-replicated",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A passphrase that lies in the failed region alone leaves every backup unreadable in the others.",
  fix: "Set region to the plan's secondary, outside the primary one, and replicas to each other region of the plan.",
  types: ["aws:secretsmanager/secret:Secret"],
  breaks: { region: "us-east-1", replicas: [], "replicas[*].region": "ap-south-1" },
  judge(resource, verdict) {
    const { home, replicas: wanted } = secretRegions(verdict.plan);
    verdict.property(resource, "region", (region) => (region === home ? undefined : `${shown(region)}, not ${home}`));
    const replicas = resource.list("replicas");
    if (replicas === undefined) {
      verdict.unjudged(resource, "replicas");
      return;
    }
    const regions = replicas.map((replica) => replica.read("region"));
    const missing = wanted.filter((region) => !regions.some((reading) => reading.state === "known" && reading.value === region));
    const open = regions.findIndex(({ state }) => state === "unknown");
    if (missing.length === 0) return;
    if (open >= 0) verdict.unjudged(resource, `replicas[${open}].region`);
    else verdict.violation(resource, "replicas", `leave out ${missing.join(", ")}`);
  },
};
