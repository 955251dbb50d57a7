import { forbiddenActions } from "../../../plan/forbidden-actions.ts";
import { keyAlias, vaultSealKey } from "../../../plan/names.ts";
import type { Plan } from "../../../plan/types.ts";
import { days } from "../../../plan/units.ts";
import { actionsOf, allButActions, conditionsOf, coversAction, isAllow, policyBreaks, statementsOf } from "../../core/aws-policy.ts";
import type { ResourceReader } from "../../core/resource.ts";
import { unset, type StackRule, type Verdict } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { rolePolicyTypes } from "../workloads.ts";
import { patroniFiles } from "../postgres/files.ts";
import { isDrill, ofType, stacksIn, textAt, types } from "./parts.ts";

/** What a drill must not declare: names that clients use, and places that backups are written to. */
const dns = /^(cloudflare:index\/(loadBalancer|dnsRecord|record|zone)|aws:route53\/(record|zone)):?/i;
/** What only a region that serves has; a drill's own servers are started by its job. */
const serving: readonly string[] = [types.cronJob, types.statefulSet, types.claim, "blackroad:jobs:BackupSchedule"];
const backupPlaces: readonly string[] = [types.s3Bucket, types.r2Bucket, types.vault, "cloudflare:index/accountToken:AccountToken"];
/** One of each kind of writing; any pattern that has one of them is more than a drill needs. */
const writes: readonly string[] = [
  ...Object.values(forbiddenActions).flat(),
  ...["AbortMultipartUpload", "DeleteObject", "PutObject", "PutObjectTagging", "ReplicateDelete", "ReplicateObject"].map((action) => `s3:${action}`),
  ...["AbortMultipartUpload", "CompleteMultipartUpload", "InitiateMultipartUpload", "UploadArchive", "UploadMultipartPart"].map((action) => `glacier:${action}`),
  ...["Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptTo"].map((action) => `kms:${action}`),
  ...["CreateSecret", "PutSecretValue", "UpdateSecret"].map((action) => `secretsmanager:${action}`),
];
/** Seconds that a drill may live: what `RecoveryEnvironment` takes at the most. */
const longest = days(1);
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
    ...policyBreaks("policy", { Effect: "Permit", Action: "s3:P*", NotAction: "s3:GetObject", Condition: unset }),
    policy: '{"Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}',
    "data.dr.json": "",
    "data.dr.json.readOnly": false,
    "metadata.name": "dr-secret-r2-writer",
    "metadata.annotations.dr.blackroad/expires-at": "never",
    "spec.activeDeadlineSeconds": "never",
    "data.patroni-pg-*.yml.postgresql.parameters.archive_mode": "on",
  },
  selects: ["data", "data.patroni-pg-*.yml"],
  judge(resources, verdict) {
    for (const [, members] of stacksIn(resources)) {
      if (!isDrill(members)) continue;
      for (const resource of members) {
        const { protect, type } = resource.facts;
        if (protect) verdict.violation(resource, "", "is protected, so the drill cannot be taken down");
        if (dns.test(type)) verdict.violation(resource, "", "makes a name that clients or servers could follow");
        if (serving.includes(type)) verdict.violation(resource, "", "serves, or backs up, what a drill only recovers: beside a drill no rule would hold it to what production is held to");
        if (backupPlaces.includes(type)) verdict.violation(resource, "", "is a place, or a key to one, that backups are written to");
      }
      for (const resource of ofType(members, ...rolePolicyTypes)) permissions(resource, verdict);
      for (const resource of ofType(members, types.configMap)) files(resource, verdict);
      for (const resource of ofType(members, types.secret)) verdict.property(resource, "metadata.name", (name) => (/writer/.test(String(name)) ? `is ${JSON.stringify(name)}: a key that writes` : undefined));
      for (const resource of ofType(members, types.job)) verdict.property(resource, "spec.activeDeadlineSeconds", (limit) => (typeof limit === "number" && limit > 0 && limit <= longest ? undefined : `${shown(limit)}: the recovery has no end within a day`));
      for (const resource of ofType(members, types.namespace)) expiry(resource, verdict);
    }
  },
};

function permissions(resource: ResourceReader, verdict: Verdict): void {
  for (const statement of statementsOf(resource, "policy", verdict, "is not set")?.all ?? []) {
    if (!isAllow(statement)) continue;
    if (allButActions(statement)) verdict.violation(statement, statement.pathOf("NotAction"), "lets the drill do all but a few things");
    const forbidden = opensVault(statement, verdict.plan) ? writes.filter((action) => action !== "kms:Encrypt") : writes;
    const found = actionsOf(statement).filter((pattern) => forbidden.some((action) => coversAction([pattern], action)));
    if (found.length > 0) verdict.violation(statement, statement.pathOf("Action"), `lets the drill write: ${found.join(", ")}`);
  }
}

/** Vault tries its seal by encrypting with it before it opens; nothing of production is written under that key. */
const opensVault = (statement: ResourceReader, plan: Plan): boolean =>
  conditionsOf(statement).some(({ operator, key, values }) => operator === "ForAnyValue:StringEquals" && key === "kms:ResourceAliases" && values.length === 1 && values[0] === keyAlias(plan, vaultSealKey));

/** The day on which the drill began is in its namespace's name; it lives for a day at the most. */
function expiry(resource: ResourceReader, verdict: Verdict): void {
  const [, year, month, day] = /^dr-drill-(\d{4})(\d{2})(\d{2})/.exec(textAt(resource, "metadata.name") ?? "") ?? [];
  verdict.property(resource, "metadata.name", (name) => (year === undefined ? `${shown(name)}, which does not say when the drill began (dr-drill-YYYYMMDD…)` : undefined));
  const latest = year === undefined ? Infinity : Date.parse(`${year}-${month ?? ""}-${day ?? ""}T00:00:00Z`) + 2 * longest * 1_000;
  verdict.property(resource, expiryAnnotation, (at) => {
    const time = typeof at === "string" ? Date.parse(at) : Number.NaN;
    if (Number.isNaN(time)) return "is no time: nothing takes down what a crashed drill leaves behind";
    return time <= latest ? undefined : `is ${String(at)}, more than a day after the drill`;
  });
}

function files(resource: ResourceReader, verdict: Verdict): void {
  for (const file of patroniFiles(resource, verdict)) verdict.property(file, "postgresql.parameters.archive_mode", (mode) => (mode === "off" || mode === false ? undefined : `${shown(mode)}: recoveries would follow this database's timeline`));
  if (!resource.keys("data").includes("dr.json")) return;
  const configuration = resource.json(["data", "dr.json"]);
  if (configuration === "unknown") verdict.unjudged(resource, "data.dr.json");
  else if (typeof configuration !== "object") verdict.violation(resource, "data.dr.json", "cannot be read");
  else verdict.property(configuration, "readOnly", (readOnly) => (readOnly === true ? undefined : "is not true: `dr` would write into production's backups"));
}
