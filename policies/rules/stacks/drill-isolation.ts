import type { ResourceReader } from "../../core/resource.ts";
import type { StackRule, Verdict } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { patroniFiles } from "../postgres/files.ts";
import { isDrill, ofType, stacksIn, types } from "./parts.ts";

/** What a drill must not declare: names that clients use, and places that backups are written to. */
const dns = /^(cloudflare:index\/(loadBalancer|dnsRecord|record|zone)|aws:route53\/(record|zone)):?/i;
const backupPlaces: readonly string[] = [types.s3Bucket, types.r2Bucket, types.vault, "cloudflare:index/accountToken:AccountToken"];
const writes = /^(\*|s3:(\*|put|delete|abort|restore|bypass|replicate)|glacier:(\*|upload|delete|abort|complete|initiatemultipart)|kms:(\*|encrypt|generatedatakey))/i;
const expiryAnnotation = ["metadata", "annotations", "dr.blackroad/expires-at"] as const;

export const drillIsolation: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "drill-isolation",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A drill that can reach production poisons it: a restored database that archives, a job that expires, a name that clients follow. One that does not end costs money and keeps secrets.",
  fix: "Give a drill stack reading credentials, no names and no buckets, archiving off, nothing protected, and an end: the namespace's expiry and the job's deadline.",
  breaks: {
    policy: '{"Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}',
    "policy.Statement[*].Action": "s3:*",
    "data.dr.json": "",
    "data.dr.json.readOnly": false,
    "metadata.name": "dr-secret-r2-writer",
    "metadata.annotations.dr.blackroad/expires-at": "never",
    "spec.activeDeadlineSeconds": "never",
    "data.patroni-pg-*.yml.postgresql.parameters.archive_mode": "on",
  },
  selects: ["data", "data.patroni-pg-*.yml", "policy.Statement", "policy.Statement[*].Effect"],
  judge(resources, verdict) {
    for (const [, members] of stacksIn(resources)) {
      if (!isDrill(members)) continue;
      for (const resource of members) {
        const { protect, type } = resource.facts;
        if (protect) verdict.violation(resource, "", "is protected, so the drill cannot be taken down");
        if (dns.test(type)) verdict.violation(resource, "", "makes a name that clients or servers could follow");
        if (backupPlaces.includes(type)) verdict.violation(resource, "", "is a place, or a key to one, that backups are written to");
      }
      for (const resource of ofType(members, "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy")) permissions(resource, verdict);
      for (const resource of ofType(members, types.configMap)) files(resource, verdict);
      for (const resource of ofType(members, types.secret)) verdict.property(resource, "metadata.name", (name) => (/writer/.test(String(name)) ? `is ${JSON.stringify(name)}: a key that writes` : undefined));
      for (const resource of ofType(members, types.job)) verdict.property(resource, "spec.activeDeadlineSeconds", (limit) => (typeof limit === "number" && limit > 0 ? undefined : "is unset: the recovery has no end"));
      for (const resource of ofType(members, types.namespace)) verdict.property(resource, expiryAnnotation, (at) => (typeof at === "string" && !Number.isNaN(Date.parse(at)) ? undefined : "is no time: nothing takes down what a crashed drill leaves behind"));
    }
  },
};

function permissions(resource: ResourceReader, verdict: Verdict): void {
  const policy = resource.json("policy");
  if (policy === "unknown") verdict.unjudged(resource, "policy");
  if (policy === "invalid" || policy === "unset") verdict.violation(resource, "policy", "is no policy");
  if (typeof policy !== "object") return;
  const statements = policy.list("Statement");
  if (statements === undefined) verdict.unjudged(resource, "policy.Statement");
  for (const statement of statements ?? []) {
    if (isDeny(statement)) continue;
    verdict.property(statement, "Action", (actions) => {
      const found = (Array.isArray(actions) ? actions : [actions]).map(String).filter((action) => writes.test(action));
      return found.length === 0 ? undefined : `lets the drill write: ${found.join(", ")}`;
    });
  }
}

function isDeny(statement: ResourceReader): boolean {
  const effect = statement.read("Effect");
  return effect.state === "known" && effect.value === "Deny";
}

function files(resource: ResourceReader, verdict: Verdict): void {
  for (const file of patroniFiles(resource, verdict)) verdict.property(file, "postgresql.parameters.archive_mode", (mode) => (mode === "off" || mode === false ? undefined : `${shown(mode)}: recoveries would follow this database's timeline`));
  if (!resource.keys("data").includes("dr.json")) return;
  const configuration = resource.json(["data", "dr.json"]);
  if (configuration === "unknown") verdict.unjudged(resource, "data.dr.json");
  else if (typeof configuration !== "object") verdict.violation(resource, "data.dr.json", "cannot be read");
  else verdict.property(configuration, "readOnly", (readOnly) => (readOnly === true ? undefined : "is not true: `dr` would write into production's backups"));
}
