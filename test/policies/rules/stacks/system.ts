import { blackroad as plan } from "../../../../plan/blackroad.ts";
import { prometheusRules } from "../../../../plan/config/prometheus-rules.ts";
import { bucketsOf, replicaBucket } from "../../../../plan/names.ts";
import type { ResourceFacts } from "../../../../policies/core/resource.ts";
import { resource } from "../../../harness/policies.ts";

type Props = Readonly<Record<string, unknown>>;
const kept = { protect: true };
const labels = (name: string, region: string, component = name) => ({ labels: { "app.kubernetes.io/name": name, "app.kubernetes.io/component": component, "blackroad.io/region": region } });

export const claim = (name: string, region: string, index: number, component = name): ResourceFacts =>
  resource("kubernetes:core/v1:PersistentVolumeClaim", { metadata: labels(name, region, component) }, { name: `${component}-${region}-${index}`, stack: region, ...kept });
export const cronJob = (name: string, changes: { readonly schedule?: unknown; readonly deadline?: unknown; readonly command?: unknown; readonly label?: unknown } = {}): ResourceFacts => {
  const of = plan.schedules.find((one) => one.name === name);
  const { schedule = of?.cron, deadline = of?.deadline, command = ["dr", "--config", "/etc/dr/dr.json", ...(of?.command ?? [])], label = name } = changes;
  return resource("kubernetes:batch/v1:CronJob", { metadata: { labels: { "blackroad.dr/schedule": label } }, spec: { schedule, jobTemplate: { spec: { activeDeadlineSeconds: deadline, template: { spec: { containers: [{ command }] } } } } } }, { name, stack: "us-east-1" });
};
export const patroni = (archive_timeout: unknown): ResourceFacts =>
  resource("kubernetes:core/v1:ConfigMap", { data: { "patroni-pg-0.yml": JSON.stringify({ postgresql: { parameters: { archive_timeout } } }) } }, { name: "files", stack: "us-east-1" });
export const groups = prometheusRules({ plan, runbookUrl: "https://runbook.example" });
export const alerts = (all: unknown = groups): ResourceFacts => resource("kubernetes:monitoring.coreos.com/v1:PrometheusRule", { spec: { groups: all } }, { name: "alerts", stack: "us-east-1" });
export const s3 = (bucket: string, region: string, changes: Props = {}): ResourceFacts => resource("aws:s3/bucket:Bucket", { bucket, region, ...changes }, { name: bucket, stack: region, ...kept });
export const r2 = (changes: Props = {}): ResourceFacts => resource("cloudflare:index/r2Bucket:R2Bucket", { name: "blackroad-backups", location: "weur", ...changes }, { name: "r2", stack: "global", ...kept });

/** The plan as it would be declared, as far as rules on whole stacks look at it. */
export const system = (): readonly ResourceFacts[] => [
  ...["postgres", "redis", "vault"].flatMap((store) => [claim(store, "us-east-1", 0), claim(store, "us-east-1", 1), claim(store, "us-west-2", 0)]),
  claim("postgres", "eu-west-1", 0, "etcd"),
  r2(),
  ...plan.backends.filter(({ kind }) => kind === "s3").flatMap((backend) => [...bucketsOf(backend).map((name) => s3(name, backend.region)), s3(replicaBucket(backend.bucket), "eu-west-1")]),
  resource("aws:glacier/vault:Vault", { name: "blackroad-archive", region: "eu-west-1" }, { name: "vault", stack: "eu-west-1", ...kept }),
  ...plan.schedules.map(({ name }) => cronJob(name)),
  patroni("60s"),
  alerts(),
];

/** The same with resources by their names taken away, or put in the place of those of the same name. */
export const changed = (gone: (one: ResourceFacts) => boolean, ...put: readonly ResourceFacts[]): readonly ResourceFacts[] => [...system().filter((one) => !gone(one) && !put.some(({ name, type }) => name === one.name && type === one.type)), ...put];
