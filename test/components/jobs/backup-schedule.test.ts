import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ArgumentError } from "../../../components/component.ts";
import { BackupSchedule, finalExitCodes, type BackupScheduleArgs } from "../../../components/jobs/backup-schedule.ts";
import { secretsOfIdentity } from "../../../plan/identity-needs.ts";
import { identities, identityOf } from "../../../plan/identities.ts";
import { intervalOf } from "../../../plan/schedule.ts";
import { scalePlan } from "../../../plan/scale.ts";
import type { Plan, Schedule } from "../../../plan/types.ts";
import { minutes, seconds } from "../../../plan/units.ts";
import { parseConfig } from "../../../runner/config.ts";
import { exitCodes } from "../../../runner/errors.ts";
import { declare } from "../../harness/pulumi.ts";
import { here, image, objectStores, others, servers, topology } from "./fixture.ts";

const args: BackupScheduleArgs = { ...here, image, servers, objectStores, ...others };
const cronJob = "kubernetes:batch/v1:CronJob";
const { plan } = here;

const named = z.object({ name: z.string() });
const jobSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string(), labels: z.record(z.string(), z.string()) }),
  spec: z.object({
    schedule: z.string(), timeZone: z.string(), concurrencyPolicy: z.string(), startingDeadlineSeconds: z.number(), suspend: z.boolean(),
    successfulJobsHistoryLimit: z.number(), failedJobsHistoryLimit: z.number(),
    jobTemplate: z.object({
      spec: z.object({
        activeDeadlineSeconds: z.number(), backoffLimit: z.number(), ttlSecondsAfterFinished: z.number(), podFailurePolicy: z.object({ rules: z.array(z.unknown()) }),
        template: z.object({
          spec: z.object({
            restartPolicy: z.string(), serviceAccountName: z.string(), automountServiceAccountToken: z.boolean(), priorityClassName: z.string(), securityContext: z.unknown(),
            containers: z.array(z.object({
              command: z.array(z.string()), image: z.string(), imagePullPolicy: z.string(), securityContext: z.unknown(),
              resources: z.object({ requests: z.record(z.string(), z.string()), limits: z.record(z.string(), z.string()) }),
              volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() })),
              env: z.array(z.object({ name: z.string(), value: z.string() })),
            })).length(1),
            volumes: z.array(named.loose()),
          }),
        }),
      }),
    }),
  }),
});

const declared = (more: Partial<BackupScheduleArgs>) => declare(() => new BackupSchedule("jobs", { ...args, ...more }));
const refusal = (more: Partial<BackupScheduleArgs>) =>
  declare(() => {
    try {
      return new BackupSchedule("jobs", { ...args, ...more });
    } catch (error) {
      return error;
    }
  });
type Declared = Awaited<ReturnType<typeof declared>>;
const jobIn = (declaration: Declared, schedule: string) => jobSchema.parse(declaration.one(cronJob, `jobs-${schedule}`).inputs);
const podIn = (declaration: Declared, schedule: string) => jobIn(declaration, schedule).spec.jobTemplate.spec.template.spec;
const configIn = (declaration: Declared, identity: string) => parseConfig(JSON.parse(z.object({ data: z.object({ "dr.json": z.string() }) }).parse(declaration.one("kubernetes:core/v1:ConfigMap", `jobs-${identity}-config`).inputs).data["dr.json"]), identity);
const withSchedules = (change: (schedule: Schedule) => Schedule): Plan => ({ ...plan, schedules: plan.schedules.map(change) });

describe("BackupSchedule", () => {
  let shipped: Declared;
  beforeAll(async () => void (shipped = await declared({})));

  it("declares one job for each schedule of the plan, with the schedule's own command, in UTC", () => {
    const result = shipped;
    expect(result.of(cronJob)).toHaveLength(plan.schedules.length);
    for (const { name, cron, command } of plan.schedules) {
      const job = jobIn(result, name);
      expect(job.metadata).toMatchObject({ name: `dr-${name}`, namespace: "blackroad-dr" });
      expect(job.metadata.name.length).toBeLessThanOrEqual(52);
      expect(job.spec).toMatchObject({ schedule: cron, timeZone: "Etc/UTC", concurrencyPolicy: "Forbid", suspend: false });
      expect(podIn(result, name).containers[0]?.command).toEqual(["dr", "--config", "/etc/dr/dr.json", ...command]);
    }
  });

  it("kills a run at the schedule's deadline, and begins none so late that it would meet the next", () => {
    const result = shipped;
    for (const schedule of plan.schedules) {
      const { spec } = jobIn(result, schedule.name);
      expect(spec.jobTemplate.spec.activeDeadlineSeconds).toBe(schedule.deadline);
      expect(spec.startingDeadlineSeconds).toBeGreaterThanOrEqual(10);
      expect(spec.startingDeadlineSeconds + schedule.deadline).toBeLessThanOrEqual(intervalOf(schedule));
      expect(spec.jobTemplate.spec.ttlSecondsAfterFinished).toBeGreaterThan(0);
      expect(spec.failedJobsHistoryLimit).toBeGreaterThan(0);
    }
  });

  it("tries a rare run again but not what would end the same, and leaves a frequent one to its next run", () => {
    const result = shipped;
    expect(jobIn(result, "postgres-full").spec.jobTemplate.spec.backoffLimit).toBeGreaterThan(0);
    expect(jobIn(result, "redis-snapshot").spec.jobTemplate.spec.backoffLimit).toBe(0);
    expect(finalExitCodes).toEqual([exitCodes.usage, exitCodes.partial, exitCodes.refused]);
    expect(jobIn(result, "postgres-full").spec.jobTemplate.spec.podFailurePolicy.rules).toContainEqual({ action: "FailJob", onExitCodes: { containerName: "dr", operator: "In", values: [2, 3, 4] } });
  });

  it("runs in pods that the restricted standard takes, with everything bounded", () => {
    const result = shipped;
    for (const { name } of plan.schedules) {
      const pod = podIn(result, name);
      expect(pod).toMatchObject({ restartPolicy: "Never", automountServiceAccountToken: name === "config-snapshot", priorityClassName: "blackroad-dr-backup", securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } } });
      const container = pod.containers[0];
      expect(container).toMatchObject({ image, imagePullPolicy: "IfNotPresent", securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } } });
      expect(Object.keys(container?.resources.requests ?? {}).sort()).toEqual(["cpu", "ephemeral-storage", "memory"]);
      expect(Object.keys(container?.resources.limits ?? {}).sort()).toEqual(["cpu", "ephemeral-storage", "memory"]);
      for (const volume of pod.volumes.filter((one) => "emptyDir" in one)) expect(volume, volume.name).toMatchObject({ emptyDir: { sizeLimit: expect.stringMatching(/^\d+Mi$/) as string } });
    }
  });

  it("gives each job its own identity, and only the secrets that this identity needs, as files", () => {
    const result = shipped;
    for (const identity of identities) {
      for (const schedule of identity.schedules) {
        const pod = podIn(result, schedule);
        expect(pod.serviceAccountName).toBe(`dr-${identity.name}`);
        const secrets = pod.volumes.map(({ name }) => name).filter((name) => name.startsWith("secret-"));
        expect(secrets.sort(), schedule).toEqual(secretsOfIdentity(plan, identity.name).map((secret) => `secret-${secret}`).sort());
        expect(pod.containers[0]?.env.map(({ name }) => name)).toEqual(["HOME", "TMPDIR"]);
      }
    }
    const secretsOf = (schedule: string) => podIn(result, schedule).volumes.map(({ name }) => name).filter((name) => name.startsWith("secret-"));
    expect(secretsOf("redis-snapshot")).toEqual(["secret-runner", "secret-redis-backup", "secret-r2-writer"]);
    expect(secretsOf("verify")).not.toContain("secret-r2-writer");
    expect(secretsOf("objects-sync")).toEqual(["secret-r2-writer"]);
  });

  it("mounts the database's certificate and Vault's token where they are needed alone", () => {
    const result = shipped;
    const volumes = (schedule: string) => podIn(result, schedule).volumes;
    expect(volumes("postgres-incremental")).toContainEqual({ name: "postgres-tls", secret: { secretName: "pg-client", defaultMode: 0o440 } });
    expect(volumes("vault-snapshot")).toContainEqual({ name: "vault-token", projected: { defaultMode: 0o440, sources: [{ serviceAccountToken: { path: "token", audience: "vault", expirationSeconds: 600 } }] } });
    expect(volumes("redis-snapshot")).toContainEqual({ name: "redis-tls", secret: { secretName: "redis-tls", defaultMode: 0o440, items: [{ key: "ca.crt", path: "ca.crt" }] } });
    expect(volumes("vectors-snapshot")).toContainEqual({ name: "vectors-tls", secret: { secretName: "qdrant-tls", defaultMode: 0o440, items: [{ key: "ca.crt", path: "ca.crt" }] } });
    expect(volumes("redis-snapshot").map(({ name }) => name)).not.toContain("vectors-tls");
    expect(volumes("redis-snapshot").map(({ name }) => name)).not.toContain("postgres-tls");
    expect(volumes("postgres-incremental").map(({ name }) => name)).not.toContain("redis-tls");
    expect(volumes("postgres-incremental").map(({ name }) => name)).not.toContain("vault-token");
  });

  it("gives a verification a volume to restore the whole database into, not the node's disk", async () => {
    const result = await declared({ storageClass: "gp3" });
    const work = podIn(result, "verify").volumes.find(({ name }) => name === "work");
    expect(work).toMatchObject({ ephemeral: { volumeClaimTemplate: { spec: { accessModes: ["ReadWriteOnce"], storageClassName: "gp3", resources: { requests: { storage: `${(150 + 2) * 1024}Mi` } } } } } });
  });

  it("lets nobody in, and each identity out to its own servers and the object stores alone", () => {
    const result = shipped;
    const policies = result.of("kubernetes:networking.k8s.io/v1:NetworkPolicy");
    expect(policies).toHaveLength(identities.filter(({ schedules }) => schedules.length > 0).length);
    for (const { inputs } of policies) expect(inputs).toMatchObject({ spec: { ingress: [], policyTypes: ["Ingress", "Egress"] } });
    const portsOf = (identity: string): number[] => {
      const { inputs } = result.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", `jobs-${identity}-network`);
      return z.object({ spec: z.object({ egress: z.array(z.object({ ports: z.array(z.object({ port: z.number() })) })) }) }).parse(inputs).spec.egress.flatMap(({ ports }) => ports.map(({ port }) => port));
    };
    const unique = (identity: string) => [...new Set(portsOf(identity))].sort((a, b) => a - b);
    expect(unique("redis")).toEqual([53, 443, 6379, 9093]);
    expect(unique("postgres")).toEqual([53, 443, 5432, 8432, 9093]);
    expect(unique("vault")).toEqual([53, 443, 8200, 9093]);
    expect(unique("verify")).toEqual([53, 443, 9093]);
    expect(unique("all")).toEqual([53, 443, 5432, 6333, 6379, 8200, 8432, 9090, 9093]);
  });

  it("declares a service account and a configuration for each identity, and annotates the account with its role", async () => {
    const result = await declared({ roleArns: { redis: "arn:aws:iam::111122223333:role/redis" } });
    expect(result.one("kubernetes:core/v1:ServiceAccount", "jobs-redis-account").inputs).toMatchObject({ metadata: { name: "dr-redis", namespace: "blackroad-dr", annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/redis" } }, automountServiceAccountToken: false });
    expect(result.one("kubernetes:core/v1:ServiceAccount", "jobs-vault-account").inputs).not.toHaveProperty("metadata.annotations");
    expect(result.one("kubernetes:core/v1:ConfigMap", "jobs-redis-config").inputs).toMatchObject({ metadata: { name: "dr-config-redis" }, data: { "dr.json": expect.stringContaining("redis-0.us-east-1.dr.example") as string } });
  });

  it("uses a private store's own credentials, authority and addresses", async () => {
    const private_ = { endpoint: "s3.test.svc:9000", credentialsSecret: "s3-test", authority: "s3-authority", peer: { kind: "namespace", namespace: "test" } } as const;
    const result = await declared({ objectStores: { ...objectStores, s3: private_ } });
    expect(podIn(result, "redis-snapshot").volumes).toEqual(expect.arrayContaining([expect.objectContaining({ name: "secret-s3-test" }), { name: "authority-s3", secret: { secretName: "s3-authority", defaultMode: 0o440, items: [{ key: "ca.crt", path: "ca.crt" }] } }]));
    expect(result.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "jobs-redis-network").inputs).toMatchObject({ spec: { egress: expect.arrayContaining([{ to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "test" } } }], ports: [{ port: 9000, protocol: "TCP" }] }]) as unknown } });
  });

  it("leaves out the jobs of a store that the region has not, and says so", async () => {
    const { postgres, redis } = servers;
    const result = await declare(() => new BackupSchedule("jobs", { ...here, image, objectStores, servers: { postgres, redis, prometheus: { url: "http://prometheus:9090", namespace: "monitoring" } } }));
    const leftOut = result.outputs.leftOut;
    expect([...leftOut].sort()).toEqual(["config-snapshot", "metrics-snapshot", "objects-sync", "vault-snapshot", "vectors-snapshot"]);
    expect(result.of(cronJob).map(({ name }) => name)).not.toContain("jobs-vault-snapshot");
    expect(result.one("blackroad:jobs:BackupSchedule").outputs).toMatchObject({ leftOut });
  });

  it("gives every job a configuration that the runner takes, and mounts each file that it names", () => {
    // Made by `dr` or Kubernetes, on the database's own host, or named by every configuration (the passphrases) and mounted where they are needed.
    const elsewhere = /^\/(var|prometheus|pgbackrest)|^\/run\/dr\/pgbackrest\.conf$|^\/run\/secrets\/dr\/(runner|pgbackrest-)/;
    for (const { name } of plan.schedules) {
      const identity = identityOf(name).name;
      const config = configIn(shipped, identity);
      const mounts = podIn(shipped, name).containers[0]?.volumeMounts.map(({ mountPath }) => mountPath) ?? [];
      const files = [...JSON.stringify(config).matchAll(/"(?:\w*[fF]ile)":"([^"]+)"/g)].map((match) => match[1] ?? "").filter((file) => !elsewhere.test(file));
      expect(files.filter((file) => !mounts.some((folder) => file.startsWith(`${folder}/`))), name).toEqual([]);
    }
  });

  it("tells the vectors' jobs where every node is, or the one host of Pinecone's index", async () => {
    expect(configIn(shipped, "vectors").vectors).toMatchObject({ kind: "qdrant", nodes: ["https://qdrant-0.us-east-1.dr.example:6333"], caFile: "/run/secrets/dr-vectors-tls/ca.crt" });
    const host = "https://blackroad-abc.svc.us-east-1.pinecone.io";
    const result = await declared({ servers: { ...servers, vectors: { kind: "pinecone", index: "blackroad", host, changedField: "updated_at" } } });
    expect(configIn(result, "vectors").vectors).toMatchObject({ kind: "pinecone", index: "blackroad", host, changedField: "updated_at" });
    expect(podIn(result, "vectors-snapshot").volumes.map(({ name }) => name)).not.toContain("vectors-tls");
  });

  it("opens the services' bucket with a token of its own, for those alone who copy or verify objects", () => {
    expect(configIn(shipped, "objects").objects).toMatchObject({ bucket: "blackroad-objects", endpoint: "0123.r2.cloudflarestorage.com", credentialsFile: "/run/secrets/dr-objects/credentials" });
    const volume = { name: "objects-credentials", secret: { secretName: "objects-reader", defaultMode: 0o440, items: [{ key: "credentials", path: "credentials" }], optional: true } };
    expect(podIn(shipped, "objects-sync").volumes).toContainEqual(volume);
    const holders = plan.schedules.filter(({ name }) => podIn(shipped, name).volumes.some((one) => one.name === volume.name)).map(({ name }) => name);
    expect(holders.sort()).toEqual(["objects-sync", "postgres-full", "verify"]);
  });

  it("tells people of a failed backup, and opens the way to them for those alone who back up or verify", async () => {
    expect(configIn(shipped, "redis").notifications).toEqual({ alertmanagers: [{ url: "http://alertmanager.monitoring.svc.cluster.local:9093" }], webhooks: [{ urlFile: "/run/secrets/dr-notifications/webhook" }], labels: { region: "us-east-1" } });
    expect(configIn(shipped, "verify").notifications).toEqual(configIn(shipped, "redis").notifications);
    expect(podIn(shipped, "redis-snapshot").volumes).toContainEqual({ name: "webhook", secret: { secretName: "backup-webhook", defaultMode: 0o440, items: [{ key: "url", path: "webhook" }], optional: true } });
    const toAlertmanager = { to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }], ports: [{ port: 9093, protocol: "TCP" }] };
    const egressIn = (declaration: Declared, identity: string) => z.object({ spec: z.object({ egress: z.array(z.unknown()) }) }).parse(declaration.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", `jobs-${identity}-network`).inputs).spec.egress;
    expect(egressIn(shipped, "redis")).toContainEqual(toAlertmanager);
    expect(egressIn(shipped, "verify")).toContainEqual(toAlertmanager);
    const silent = await declared({ notifications: {} });
    expect(egressIn(silent, "redis")).not.toContainEqual(toAlertmanager);
    for (const job of ["redis-snapshot", "verify"]) expect(podIn(silent, job).volumes.map(({ name }) => name)).not.toContain("webhook");
  });

  it("mounts Prometheus' volume beside it, as its own user, for its snapshots alone", () => {
    const pod = podIn(shipped, "metrics-snapshot");
    expect(pod.volumes).toContainEqual({ name: "prometheus", persistentVolumeClaim: { claimName: "prometheus-data" } });
    expect(pod.containers[0]?.volumeMounts).toContainEqual({ name: "prometheus", mountPath: "/prometheus" });
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1_000, runAsGroup: 2_000, fsGroup: 2_000 });
    expect(shipped.one(cronJob, "jobs-metrics-snapshot").inputs).toHaveProperty("spec.jobTemplate.spec.template.spec.affinity.podAffinity");
    expect(shipped.one("kubernetes:core/v1:ConfigMap", "jobs-metrics-config").inputs).toMatchObject({ data: { "dr.json": expect.stringContaining('"dataDirectory": "/prometheus"') as string } });
    for (const { name } of plan.schedules) if (name !== "metrics-snapshot") expect(podIn(shipped, name).volumes.map((volume) => volume.name), name).not.toContain("prometheus");
  });

  it("lets the configuration's job, and no other, list what was declared in the cluster, but no secret", () => {
    for (const { name } of plan.schedules) expect(podIn(shipped, name).automountServiceAccountToken, name).toBe(name === "config-snapshot");
    const role = shipped.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole");
    const rules = z.object({ rules: z.array(z.object({ resources: z.array(z.string()), verbs: z.array(z.string()) })) }).parse(role.inputs).rules;
    expect(rules.flatMap(({ resources }) => resources)).not.toContain("secrets");
    expect([...new Set(rules.flatMap(({ verbs }) => verbs))]).toEqual(["list"]);
    expect(shipped.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding").inputs).toMatchObject({ roleRef: { name: "blackroad-dr-dr-config" }, subjects: [{ kind: "ServiceAccount", name: "dr-config", namespace: "blackroad-dr" }] });
    expect(shipped.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "jobs-config-network").inputs).toMatchObject({ spec: { egress: expect.arrayContaining([{ to: [{ ipBlock: { cidr: "10.1.0.0/16" } }], ports: [{ port: 443, protocol: "TCP" }] }]) as unknown } });
  });

  it("can be declared without starting anything", async () => {
    const result = await declared({ suspended: true });
    for (const { name } of plan.schedules) expect(jobIn(result, name).spec.suspend).toBe(true);
  });

  it("says what policies look at, and protects nothing: it holds no data", () => {
    const result = shipped;
    expect(result.one("blackroad:jobs:BackupSchedule").outputs).toMatchObject({ region: "us-east-1", suspended: false, rpo: plan.system.rpo, leftOut: [] });
    expect(result.all.every(({ protect, retainOnDelete }) => !protect && !retainOnDelete)).toBe(true);
    const component = result.one("blackroad:jobs:BackupSchedule");
    expect(result.all.filter(({ custom }) => custom).every(({ parent }) => parent === component.urn)).toBe(true);
  });

  const unknownStore = withSchedules((schedule) => (schedule.name === "redis-snapshot" ? { ...schedule, command: ["backup", "mongo", "snapshot"] } : schedule));
  const refused: readonly (readonly [string, Partial<BackupScheduleArgs>, RegExp])[] = [
    ["a region that the plan has not", { region: "mars-1" }, /region: mars-1 is no region of the plan/],
    ["the witness", { region: "eu-west-1" }, /the witness and has no server/],
    ["a topology without a region", { topology: { ...topology, places: topology.places.slice(1) } }, /the plan's region us-east-1 has no place/],
    ["an image by its tag", { image: "registry.example/dr:latest" }, /names no digest/],
    ["an unknown store", { plan: unknownStore }, /schedules\[redis-snapshot\]\.command: unknown store "mongo"/],
    ["a store that the plan has not", { plan: { ...plan, stores: plan.stores.filter(({ name }) => name !== "redis") } }, /the plan has no store redis/],
    ["a command that backs nothing up", { plan: withSchedules((schedule) => ({ ...schedule, command: ["plan"] })) }, /dr plan makes no backup/],
    ["a scaled plan", { plan: scalePlan(plan, 60) }, /is a scaled plan's; cron counts whole minutes/],
    ["a deadline of the interval", { plan: withSchedules((schedule) => (schedule.name === "redis-snapshot" ? { ...schedule, deadline: minutes(5) } : schedule)) }, /schedules\[redis-snapshot\]\.deadline: 300 s is not below the interval of 300 s/],
    ["a deadline that leaves no time to begin", { plan: withSchedules((schedule) => (schedule.name === "redis-snapshot" ? { ...schedule, deadline: seconds(295) } : schedule)) }, /leaves less than 10 s/],
    ["a cron that is none", { plan: withSchedules((schedule) => (schedule.name === "redis-snapshot" ? { ...schedule, cron: "@daily" } : schedule)) }, /nickname/],
    ["a schedule twice", { plan: { ...plan, schedules: [...plan.schedules, ...plan.schedules.slice(0, 1)] } }, /schedules\[postgres-incremental\]: is there twice/],
    ["no schedule", { plan: { ...plan, schedules: [] } }, /nothing would be backed up/],
    ["a name that is too long", { plan: withSchedules((schedule) => (schedule.name === "verify" ? Object.assign({ ...schedule }, { name: "v".repeat(50) }) : schedule)) }, /has 53 characters.*(?:.|\n)*no identity runs/],
    ["a missing object store", { objectStores: { r2: { endpoint: "r2.example" } } }, /backend s3 is missing/],
    ["a claim of another namespace", { servers: { ...servers, prometheus: { url: "http://prometheus:9090", namespace: "monitoring", data: { claim: "data" } } } }, /its claim data is in monitoring/],
    ["a cluster's API that is nowhere", { servers: { ...servers, kubernetes: { networks: [], port: 443 } } }, /servers\.kubernetes: no network/],
    ["an endpoint with a scheme", { objectStores: { ...objectStores, r2: { endpoint: "https://r2.example" } } }, /objectStores\.r2\.endpoint: "https:\/\/r2\.example" is no host/],
    ["servers that are nowhere", { servers: { ...servers, redis: [], vault: "nonsense:x", vectors: { kind: "qdrant", nodes: [] } } }, /no server of Redis(?:.|\n)*no node is named/],
    ["an Alertmanager that is nowhere", { notifications: { alertmanager: { url: "alertmanager:x", namespace: "monitoring" } } }, /notifications\.alertmanager: "alertmanager:x" is no HOST:PORT/],
    ["objects behind a scheme", { objects: { ...others.objects, endpoint: "https://r2.example" } }, /objects\.endpoint: "https:\/\/r2\.example" is no host/],
    ["an address that is none", { servers: { ...servers, vault: "nonsense:x" } }, /servers\.vault: "nonsense:x" is no HOST:PORT/],
  ];
  it.each(refused)("refuses %s, and declares nothing", async (_what, more, message) => {
    const result = await refusal(more);
    expect(result.outputs).toBeInstanceOf(ArgumentError);
    expect(String(result.outputs)).toMatch(message);
    expect(result.all).toEqual([]);
  });

  it("says all that is wrong at once", async () => {
    const { outputs } = await refusal({ region: "mars-1", image: "x", objectStores: {} });
    expect(String(outputs)).toMatch(/mars-1(?:.|\n)*names no digest(?:.|\n)*r2 is missing(?:.|\n)*s3 is missing/);
  });
});
