import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { BackupSchedule } from "../../components/jobs/backup-schedule.ts";
import { redisPaths } from "../../components/databases/redis/servers.ts";
import { pullPolicyOf } from "../../components/kubernetes/image.ts";
import { imageUser, restrictedContainer, restrictedPod, scratch, secretFiles } from "../../components/kubernetes/pod.ts";
import { issue, makeAuthority, type Certificate } from "../../drill/environments/certificates.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { aclFile, configurationOf, redisServerFiles, secretScriptFile } from "../../plan/config/redis-files.ts";
import { redisRoles } from "../../plan/config/redis.ts";
import { kubernetesSecret, secretKey, secretsFolder } from "../../plan/names.ts";
import { r2Secret, redisSecret, repositorySecret, runnerSecret } from "../../plan/secrets.ts";
import { ports, redisName, tlsSecret } from "../../plan/servers.ts";
import type { Plan } from "../../plan/types.ts";
import { gib, seconds } from "../../plan/units.ts";
import { connectRedis } from "../../runner/stores/redis/connection.ts";
import { writeDurably } from "../../runner/system/files.ts";
import { clusterImage, withoutImage } from "../harness/cluster-image.ts";
import { applyAll, podsReady, runJob, type EndedPod } from "../harness/cluster-job.ts";
import { startClusterStores, storeAuthority } from "../harness/cluster-stores.ts";
import { forward } from "../harness/forward.ts";
import { KubernetesApi, objectsOf, testKubeconfig, withoutCluster, type KubernetesObject } from "../harness/kubernetes.ts";
import { declare } from "../harness/pulumi.ts";
import { s3Installed } from "../harness/s3.ts";
import { temporaryFolder } from "../harness/temporary.ts";

const minutes = 60_000;
/** Where there are no roles for workloads, S3 is opened by a file as well. */
const s3Writer = "s3-writer";
const namespace = `dr-image-${process.pid}`;
const sessions = 200;
const restricted = Object.fromEntries(["enforce", "warn", "audit"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]));
const redisServer = "redis-0";
const redisHost = `${redisServer}.${namespace}.svc.cluster.local`;

/** The shipped plan for a cluster of one node: no replica to wait for, stores that fit its disk, one bucket a backend. */
const plan: Plan = {
  ...blackroad,
  redis: { ...blackroad.redis, replicaLagBound: seconds(0) },
  stores: blackroad.stores.map((store) => ({ ...store, expectedSize: gib(0.25) })),
  backends: blackroad.backends.map((backend) => ({ ...backend, shortLived: { bucket: backend.bucket, immutableFor: backend.immutableFor } })),
};

const jobTemplate = z.object({ spec: z.object({ jobTemplate: z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }), spec: z.object({ template: z.object({ spec: z.object({ containers: z.tuple([z.looseObject({ command: z.array(z.string()) })]) }).loose() }).loose() }).loose() }) }) });

/**
 * The image at work as the stacks put it to work: the very Jobs that `BackupSchedule` declares, in a namespace that holds
 * pods to the restricted standard, with a Redis of the same image and object stores outside the cluster.
 */
describe("the image in a cluster", () => {
  let api: KubernetesApi | undefined;
  let image: string | undefined;
  let folder: Awaited<ReturnType<typeof temporaryFolder>> | undefined;
  const made: string[] = [];
  const endings: (() => Promise<unknown>)[] = [];
  let jobs: readonly KubernetesObject[] = [];

  const server = (): KubernetesApi => {
    if (api === undefined) throw new Error(withoutCluster);
    return api;
  };
  const name = (): string => {
    if (image === undefined) throw new Error(withoutImage);
    return image;
  };
  const inNamespace = (kind: string, called: string, more: Readonly<Record<string, unknown>>): KubernetesObject => ({ apiVersion: "v1", kind, metadata: { name: called, namespace }, ...more });
  const secret = (called: string, values: Readonly<Record<string, string | Buffer>>): KubernetesObject =>
    inNamespace("Secret", called, { data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")])) });

  beforeAll(async () => {
    const kubeconfig = await testKubeconfig();
    if (kubeconfig === undefined || process.env["DR_TEST_CLUSTER"] !== "1" || !s3Installed) return;
    image = await clusterImage();
    if (image === undefined) return;
    api = await KubernetesApi.from(kubeconfig);
    folder = await temporaryFolder("image");
    const space: KubernetesObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: restricted } };
    await applyAll(api, [space]);
    made.push(await api.pathOf(space));

    const authority = await makeAuthority(join(folder.path, "ca"));
    const stores = await startClusterStores(folder.path, plan, authority);
    endings.push(() => stores.close());
    const passwords = Object.fromEntries([runnerSecret, ...["r2", "s3"].map(repositorySecret), ...redisRoles.map(redisSecret)].map((one) => [one, randomBytes(24).toString("base64url")]));
    const { r2, s3 } = stores.credentials;
    const planned = Object.entries({ ...passwords, [r2Secret("writer")]: r2.writer, [r2Secret("reader")]: r2.reader, [s3Writer]: s3.writer }).map(([one, value]) => secret(kubernetesSecret(one), { [secretKey]: value }));
    const ca = await readFile(authority.certificate);
    await applyAll(api, [...planned, secret(storeAuthority, { "ca.crt": ca }), ...(await redis(await issue(authority, { name: "redis", hosts: [redisHost, "127.0.0.1"] })))]);

    const topology = { places: plan.regions.map(({ name: region }) => ({ region, namespace, domain: `${region}.dr.example` })), exposure: { kind: "cluster" as const } };
    const args = { plan, region: "us-east-1", topology, image, objectStores: { ...stores.access, s3: { ...stores.access.s3, credentialsSecret: s3Writer } }, suspended: true };
    const servers = { postgres: { local: { host: "pg.example", port: 5432 }, pgbackrest: { host: "pg.example", port: 8432 }, clientSecret: "pg-client" }, redis: [`${redisHost}:${ports.redis}`] };
    jobs = objectsOf((await declare(() => new BackupSchedule("jobs", { ...args, servers }))).all);
    await applyAll(api, jobs);
    for (const object of jobs.filter(({ metadata }) => metadata.namespace === undefined)) made.push(await api.pathOf(object));
    const [address = ""] = await podsReady(api, namespace, "app.kubernetes.io/name=redis", 120);
    await seed(address, passwords[redisSecret("app")] ?? "", authority.certificate);
  }, 45 * minutes);

  beforeEach((context) => {
    context.skip(api === undefined, withoutImage);
  });
  afterAll(async () => {
    for (const path of made.toReversed()) await api?.delete(path);
    for (const end of endings.toReversed()) await end();
    await folder?.remove();
  });

  /** One server of the image with the shipped configuration, its secrets put in by the shipped script. */
  async function redis(certificate: Certificate): Promise<readonly KubernetesObject[]> {
    const labels = { "app.kubernetes.io/name": "redis" };
    const files = redisServerFiles({ plan, version: "8.0.2", paths: redisPaths, servers: [{ name: redisServer, host: redisHost, port: ports.redis }], masterName: plan.name, sentinels: [] });
    const secrets = secretFiles(redisRoles.map(redisSecret));
    const run = { name: "run", mountPath: redisPaths.run };
    const given = { name: "files", mountPath: redisPaths.files, readOnly: true };
    const data = scratch("data", dirname(redisPaths.data), "64Mi");
    const resources = { requests: { cpu: "50m", memory: "64Mi" }, limits: { cpu: "1", memory: "256Mi" } };
    const container = { ...restrictedContainer, image: name(), imagePullPolicy: pullPolicyOf(name()), resources };
    const spec = {
      ...restrictedPod,
      initContainers: [{ ...container, name: "secrets", command: ["/bin/sh", `${redisPaths.files}/${secretScriptFile}`, secretsFolder, redisPaths.files, redisPaths.run, aclFile, configurationOf(redisServer)], volumeMounts: [given, run, ...secrets.mounts] }, { ...container, name: "folder", command: ["mkdir", redisPaths.data], volumeMounts: [data.mount] }],
      containers: [{
        ...container, name: "redis", command: ["redis-server", `${redisPaths.run}/${configurationOf(redisServer)}`],
        volumeMounts: [run, data.mount, { name: "tls", mountPath: redisPaths.tls, readOnly: true }],
        readinessProbe: { tcpSocket: { port: ports.redis }, periodSeconds: 1 },
      }],
      volumes: [
        { name: "files", configMap: { name: "redis-files" } }, { name: "run", emptyDir: { medium: "Memory", sizeLimit: "4Mi" } }, data.volume,
        { name: "tls", secret: { secretName: tlsSecret(redisName("production")), defaultMode: 0o440 } }, ...secrets.volumes,
      ],
    };
    return [
      secret(tlsSecret(redisName("production")), { "tls.crt": await readFile(certificate.certificate), "tls.key": await readFile(certificate.key), "ca.crt": await readFile(certificate.caFile) }),
      inNamespace("ConfigMap", "redis-files", { data: files }),
      inNamespace("Service", redisServer, { spec: { selector: labels, ports: [{ port: ports.redis }] } }),
      { ...inNamespace("Pod", redisServer, { spec }), metadata: { name: redisServer, namespace, labels } },
    ];
  }

  /** What a service remembers. */
  async function seed(address: string, password: string, caFile: string): Promise<void> {
    const passwordFile = join(folder?.path ?? "", "app.password");
    await writeDurably(passwordFile, password, { mode: 0o600 });
    // The certificate is for names, not for the pod's address.
    const near = await forward("127.0.0.1", { host: address, port: ports.redis });
    const link = await connectRedis({ host: "127.0.0.1", port: near.port, user: "app", passwordFile, caFile });
    await Promise.all(Array.from({ length: sessions }, (_, session) => link.send("SET", `session:${session}`, `remembered ${session}`)));
    link.close();
    await near.close();
  }

  /** Runs a declared CronJob's Job now, or with another command the same pod. */
  function run(schedule: string, called: string, command?: readonly string[]): Promise<EndedPod> {
    const declared = jobs.find(({ kind, metadata }) => kind === "CronJob" && metadata.name === `dr-${schedule}`);
    const { metadata, spec } = jobTemplate.parse(declared).spec.jobTemplate;
    const [container] = spec.template.spec.containers;
    const containers = [{ ...container, command: [...(command ?? container.command)] }];
    return runJob(server(), { apiVersion: "batch/v1", kind: "Job", metadata: { name: called, namespace, labels: metadata.labels }, spec: { ...spec, backoffLimit: 0, template: { ...spec.template, spec: { ...spec.template.spec, containers } } } }, 180);
  }

  it("answers for every program that is called, as nobody in particular, on a root file system that nobody writes to", async () => {
    const asked = { etcd: "--version", git: "--version", haproxy: "-v", "otelcol-dr": "--version", patroni: "--version", pgbackrest: "version", postgres: "--version", initdb: "--version", pg_ctl: "--version", pg_controldata: "--version", pg_waldump: "--version", pg_amcheck: "--version", pg_basebackup: "--version", pg_rewind: "--version", psql: "--version", prometheus: "--version", promtool: "--version", rclone: "version", "redis-cli": "--version", "redis-server": "--version", "redis-check-rdb": "--version", ssh: "-V", setpriv: "--version", tar: "--version" };
    const script = `
      import { spawnSync } from "node:child_process";
      import { writeFileSync } from "node:fs";
      import { lookUpProgram } from "/opt/dr/runner/system/programs.ts";
      const said = {};
      for (const [name, argument] of Object.entries(${JSON.stringify(asked)})) {
        const path = await lookUpProgram(name);
        if (path === undefined) { said[name] = "is not there"; continue; }
        const { status, stdout, stderr } = spawnSync(path, [argument], { encoding: "utf8" });
        said[name] = status === 0 ? (stdout + stderr).split("\\n").find((line) => /\\d/.test(line)) : "ended with " + status + ": " + stderr;
      }
      let written = "written";
      try { writeFileSync("/opt/dr/anything", ""); } catch (error) { written = error.code; }
      console.log(JSON.stringify({ said, written, user: process.getuid(), node: process.version }));`;
    const { exitCode, log } = await run("redis-snapshot", "programs", ["node", "--input-type=module", "--eval", script]);
    expect([exitCode, log]).toEqual([0, expect.any(String)]);
    const { node, said, user, written } = z.object({ said: z.record(z.string(), z.string()), written: z.string(), user: z.number(), node: z.string() }).parse(JSON.parse(log));
    expect({ user, written }).toEqual({ user: imageUser, written: "EROFS" });
    expect(node).toMatch(/^v24\./);
    for (const [program, version] of Object.entries(said)) expect(`${program}: ${version}`).toMatch(/: .*\d+\.\d+/);
    expect(said).toMatchObject({ postgres: expect.stringContaining(" 17.") as string, pgbackrest: expect.stringContaining(" 2.55") as string, patroni: expect.stringContaining(" 4.0") as string, "redis-server": expect.stringContaining("v=8.0.") as string });
  });

  it("reckons the plan, without any configuration", async () => {
    const { exitCode, log } = await run("redis-snapshot", "plan", ["dr", "plan", "--json"]);
    expect([exitCode, log]).toEqual([0, expect.stringContaining('"postgres"')]);
  });

  it("backs Redis up by the job that is declared, and verifies each copy by restoring it there", async () => {
    const backup = await run("redis-snapshot", "backup");
    expect([backup.exitCode, backup.log]).toEqual([0, expect.stringContaining("redis")]);
    const verified = await run("verify", "verify", ["dr", "--config", "/etc/dr/dr.json", "verify", "latest", "--store", "redis"]);
    expect([verified.exitCode, verified.log]).toEqual([0, expect.stringContaining(`a server loads it: ${sessions} of ${sessions} keys`)]);
  });
});
