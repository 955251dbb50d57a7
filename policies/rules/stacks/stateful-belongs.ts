import { accessLogBucket, bucketsOf, replicaBucket, stateBucket } from "../../../plan/names.ts";
import type { Plan, StoreName } from "../../../plan/types.ts";
import type { ResourceReader } from "../../core/resource.ts";
import type { StackRule, Verdict } from "../../core/rule.ts";
import { isDrill, nameLabel, ofType, stacksIn, types } from "./parts.ts";

/** Which store a workload's name label means; the stores that are no servers of ours are not among them. */
export const storeOfWorkload: Readonly<Record<string, StoreName>> = { postgres: "postgres", redis: "redis", vault: "vault", qdrant: "vectors" };

/** Clouds' own databases, disks and file systems: the plan has none, so each is one that was forgotten. */
const managed = /^(aws:(rds|docdb|neptune|dynamodb|elasticache|memorydb|efs|fsx|ebs|redshift|opensearch|opensearchserverless|elasticsearch|timestreamwrite|keyspaces|msk|mskconnect|mq|kinesis|sqs|lightsail|s3tables|cognito)\/.*:(Instance|Cluster|ServerlessCluster|Table|TableBucket|ReplicationGroup|FileSystem|Volume|Database|Domain|GlobalCluster|ServerlessCache|Collection|Broker|Stream|Queue|UserPool)|aws:s3\/(directoryBucket:DirectoryBucket|vectorsVectorBucket:VectorsVectorBucket|filesFileSystem:FilesFileSystem)|cloudflare:index\/(d1Database:D1Database|workersKvNamespace:WorkersKvNamespace|queue:Queue)|kubernetes:core\/v1:PersistentVolume|kubernetes:postgresql\.cnpg\.io\/.*|kubernetes:.*:\w*(Postgres|PostgreSQL|Redis|Mongo|MySQL|MariaDB|Cassandra|Kafka|Elasticsearch|Rabbitmq|Qdrant|Etcd)\w*)$/i;

export const statefulBelongs: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "stateful-belongs",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A store that is missing from the inventory is backed up by nobody, and that is found out when it is gone.",
  fix: "Declare it as a store of the plan with its copies and schedules, label it with the store's name, or take it away.",
  breaks: { "metadata.labels.app.kubernetes.io/name": "forgotten", bucket: "a-forgotten-bucket", name: "forgotten" },
  selects: ["spec.volumeClaimTemplates"],
  judge(resources, verdict) {
    for (const [, members] of stacksIn(resources)) {
      if (isDrill(members)) continue; // gone after the drill, with all that is in it
      for (const resource of ofType(members, types.claim)) workload(resource, verdict);
      for (const resource of ofType(members, types.statefulSet)) if (hasVolumes(resource)) workload(resource, verdict);
      for (const resource of ofType(members, types.s3Bucket)) named(resource, "bucket", verdict);
      for (const resource of ofType(members, types.r2Bucket, types.vault)) named(resource, "name", verdict);
      for (const resource of members) if (managed.test(resource.facts.type)) verdict.violation(resource, "", "holds data, and no store of the plan is kept there");
    }
  },
};

function hasVolumes(resource: ResourceReader): boolean {
  const claims = resource.read("spec.volumeClaimTemplates");
  return claims.state === "unknown" || (claims.state === "known" && Array.isArray(claims.value) && claims.value.length > 0);
}

function workload(resource: ResourceReader, verdict: Verdict): void {
  const stores = verdict.plan.stores.map(({ name }) => name);
  verdict.property(resource, nameLabel, (name) => {
    const store = typeof name === "string" ? storeOfWorkload[name] : undefined;
    return store !== undefined && stores.includes(store) ? undefined : `is ${name === undefined ? "unset" : JSON.stringify(name)}, no store of the plan (${Object.keys(storeOfWorkload).join(", ")})`;
  });
}

function named(resource: ResourceReader, path: string, verdict: Verdict): void {
  const known = bucketsOfPlan(verdict.plan);
  verdict.property(resource, path, (name) => (typeof name === "string" && known.includes(name) ? undefined : `is ${name === undefined ? "unset" : JSON.stringify(name)}, no bucket that the plan knows`));
}

const bucketsOfPlan = (plan: Plan): readonly string[] => [
  ...plan.backends.flatMap((backend) => [...bucketsOf(backend), ...bucketsOf(backend).map(replicaBucket)]),
  ...plan.regions.map(({ name }) => accessLogBucket(plan, name)),
  stateBucket(plan),
];
