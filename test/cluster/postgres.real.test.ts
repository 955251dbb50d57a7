import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { PostgresCluster, type PostgresClusterArgs } from "../../components/databases/postgres-cluster.ts";
import { BackupSchedule } from "../../components/jobs/backup-schedule.ts";
import { makeAuthority } from "../../drill/environments/certificates.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { kubernetesSecret, secretKey } from "../../plan/names.ts";
import { postgresSecret, postgresUser, r2Secret, secretsOf, servicesDatabase } from "../../plan/secrets.ts";
import { ports } from "../../plan/servers.ts";
import type { Plan } from "../../plan/types.ts";
import { gib } from "../../plan/units.ts";
import { clusterImage, withoutImage } from "../harness/cluster-image.ts";
import { issuedSecrets } from "../harness/cluster-certificates.ts";
import { applyAll, podsReady, runJob, type EndedPod } from "../harness/cluster-job.ts";
import { startClusterStores, storeAuthority, type ClusterStores } from "../harness/cluster-stores.ts";
import { KubernetesApi, objectsOf, testKubeconfig, withoutCluster, type KubernetesObject } from "../harness/kubernetes.ts";
import { declare } from "../harness/pulumi.ts";
import { s3Installed } from "../harness/s3.ts";
import { temporaryFolder } from "../harness/temporary.ts";

const minutes = 60_000;
const spaces = { "us-east-1": `dr-pg-${process.pid}-a`, "us-west-2": `dr-pg-${process.pid}-b`, "eu-west-1": `dr-pg-${process.pid}-c` } as const;
const here = spaces["us-east-1"];
const restricted = { "pod-security.kubernetes.io/enforce": "restricted" };
const s3Writer = "s3-writer";
/** S3 is reached by roles, so the plan has no secret for it; here its credentials stand where those of R2's reader would. */
const inPlaceOfRole = r2Secret("reader");

/** The shipped plan with stores that fit one node's disk, and one bucket a backend. */
const plan: Plan = {
  ...blackroad,
  stores: blackroad.stores.map((store) => ({ ...store, expectedSize: gib(0.25) })),
  backends: blackroad.backends.map((backend) => ({ ...backend, shortLived: { bucket: backend.bucket, immutableFor: backend.immutableFor } })),
};
const topology = { places: Object.entries(spaces).map(([region, namespace]) => ({ region, namespace, domain: `${namespace}.svc.cluster.local` })), exposure: { kind: "cluster" } } as const;

const jobTemplate = z.object({ spec: z.object({ jobTemplate: z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }), spec: z.looseObject({ template: z.looseObject({ spec: z.looseObject({ containers: z.tuple([z.looseObject({})]) }) }) }) }) }) });

/**
 * The database as the stacks declare it, three regions in a namespace each: Patroni over etcd and pgBackRest's server, all
 * over TLS, out of the image that the jobs run from.
 */
describe("PostgreSQL in a cluster", () => {
  let api: KubernetesApi | undefined;
  let image: string | undefined;
  let folder: Awaited<ReturnType<typeof temporaryFolder>> | undefined;
  let stores: ClusterStores | undefined;
  const made: string[] = [];
  let jobs: readonly KubernetesObject[] = [];
  let leader: Client | undefined;

  beforeAll(async () => {
    const kubeconfig = await testKubeconfig();
    if (kubeconfig === undefined || process.env["DR_TEST_CLUSTER"] !== "1" || !s3Installed) return;
    image = await clusterImage();
    if (image === undefined) return;
    api = await KubernetesApi.from(kubeconfig);
    folder = await temporaryFolder("pg");
    await openVolumes();
    const authority = await makeAuthority(join(folder.path, "ca"));
    stores = await startClusterStores(folder.path, plan, authority);
    const { access, credentials } = stores;
    const given = { [r2Secret("writer")]: credentials.r2.writer, [inPlaceOfRole]: credentials.s3.writer, [s3Writer]: credentials.s3.writer };
    const values: Readonly<Record<string, string>> = { ...Object.fromEntries(secretsOf(plan).map(({ name }) => [name, randomBytes(18).toString("base64url")])), ...given };
    const ca = await readFile(authority.certificate);

    const repositories = [
      { backend: "r2", endpoint: access.r2.endpoint, credentials: { kind: "secret-file", secret: r2Secret("writer") }, authority: storeAuthority },
      { backend: "s3", endpoint: access.s3.endpoint, credentials: { kind: "secret-file", secret: inPlaceOfRole }, authority: storeAuthority },
    ] as const;
    const common = { plan, topology, image, issuer: { name: "dr", kind: "ClusterIssuer" }, storage: { className: "local", size: "2Gi" }, resources: { cpu: "100m", memory: "512Mi" }, networks: ["10.244.0.0/16"], lifetime: "ephemeral" } as const;
    const serving = { ...common, repositories, identity: { serviceAccount: "dr-postgres" } };
    const regions: readonly PostgresClusterArgs[] = [
      { ...serving, region: "us-east-1", role: { kind: "primary" } },
      { ...serving, region: "us-west-2", role: { kind: "standby" } },
      { ...common, region: "eu-west-1", role: { kind: "witness" } },
    ];
    for (const args of regions) {
      const namespace = topology.places.find(({ region }) => region === args.region)?.namespace ?? "";
      const declared = objectsOf((await declare(() => new PostgresCluster("postgres", args))).all);
      const secret = (name: string, key: string, value: string | Buffer): KubernetesObject => ({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, data: { [key]: Buffer.from(value).toString("base64") } });
      made.push(`/api/v1/namespaces/${namespace}`);
      await applyAll(api, [
        { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: restricted } },
        ...Object.entries(values).map(([name, value]) => secret(kubernetesSecret(name), secretKey, value)), secret(storeAuthority, "ca.crt", ca),
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "dr-postgres", namespace } },
        ...(await issuedSecrets(authority, declared)),
        ...declared.filter(({ kind }) => kind !== "Certificate"),
      ]);
    }
    const servers = { postgres: { local: { host: `postgres-local.${here}.svc.cluster.local`, port: ports.postgresProxy.local }, pgbackrest: { host: `postgres-pgbackrest.${here}.svc.cluster.local`, port: ports.postgresProxy.pgbackrest }, clientSecret: "pg-jobs-tls" }, redis: ["redis.example:6379"] };
    // The verification reads R2 as the writer: its reader's place is taken.
    const objectStores = { r2: { ...access.r2, credentialsSecret: r2Secret("writer") }, s3: { ...access.s3, credentialsSecret: s3Writer } };
    jobs = objectsOf((await declare(() => new BackupSchedule("jobs", { plan, region: "us-east-1", topology, image: common.image, objectStores, servers, suspended: true }))).all);
    await applyAll(api, jobs);
    for (const object of jobs.filter(({ metadata }) => metadata.namespace === undefined)) made.push(await api.pathOf(object));

    const addresses = await podsReady(api, here, "app.kubernetes.io/name=postgres,app.kubernetes.io/component=pg", 300);
    leader = await leaderOf(addresses, values[postgresSecret("superuser")] ?? "", ca);
    await grantAccess(leader, values[postgresSecret("backup")] ?? "");
  }, 50 * minutes);

  beforeEach((context) => {
    context.skip(api === undefined, withoutImage);
  });
  afterAll(async () => {
    await leader?.end();
    for (const path of made.toReversed()) await api?.delete(path);
    await stores?.close();
    await folder?.remove();
  });

  /** That cluster's volumes are root's folders, and no driver is there that would give them to a pod's group. */
  async function openVolumes(): Promise<void> {
    for (let number = 1; number <= 60; number += 1) {
      const volume = join(process.env["HOME"] ?? homedir(), ".cache", "dr-cluster", "volumes", String(number).padStart(2, "0"));
      await mkdir(volume, { recursive: true });
      await chmod(volume, 0o777);
    }
  }

  async function leaderOf(addresses: readonly string[], password: string, ca: Buffer): Promise<Client> {
    for (const host of addresses) {
      // The certificate is for names, not for the pod's address.
      const client = new Client({ host, port: ports.postgres.server, user: "postgres", password, database: "postgres", ssl: { ca, checkServerIdentity: () => undefined } });
      await client.connect();
      const { rows } = await client.query<{ standby: boolean }>("select pg_is_in_recovery() as standby");
      if (rows[0]?.standby === false) return client;
      await client.end();
    }
    throw new Error(`none of ${addresses.join(", ")} leads`);
  }

  /** Of what PostgresAccess declares, the backup's part. */
  async function grantAccess(client: Client, password: string): Promise<void> {
    const [role, database] = [postgresUser(plan, "backup"), servicesDatabase(plan)];
    await client.query(`create role ${role} login password '${password}' in role pg_read_all_data connection limit 16`);
    await client.query(`create database ${database}`);
    await client.query(`grant connect on database ${database} to ${role}`);
  }

  /** Runs `dr` in the pod of a declared CronJob. */
  function run(schedule: string, name: string, command: readonly string[]): Promise<EndedPod> {
    if (api === undefined) throw new Error(withoutCluster);
    const { metadata, spec } = jobTemplate.parse(jobs.find((one) => one.kind === "CronJob" && one.metadata.name === `dr-${schedule}`)).spec.jobTemplate;
    const [container] = spec.template.spec.containers;
    const pod = { ...spec.template.spec, containers: [{ ...container, command: ["dr", "--config", "/etc/dr/dr.json", ...command] }] };
    return runJob(api, { apiVersion: "batch/v1", kind: "Job", metadata: { name, namespace: here, labels: metadata.labels }, spec: { ...spec, backoffLimit: 0, template: { ...spec.template, spec: pod } } }, 300);
  }

  it("comes up with a synchronous replica next door and an asynchronous one in the other region", async () => {
    const rows = async () => (await leader?.query<{ name: string; sync_state: string }>("select application_name as name, sync_state from pg_stat_replication where state = 'streaming' order by sync_state desc"))?.rows;
    await expect.poll(rows, { timeout: 120_000, interval: 500 }).toEqual([{ name: expect.stringMatching(/^us-east-1-pg-[01]$/) as string, sync_state: "sync" }, { name: "us-west-2-pg-0", sync_state: "potential" }]);
  }, 3 * minutes);

  it("is backed up in full by the jobs' pods, and each copy is verified by restoring it there", async () => {
    const ready = await run("postgres-diff", "init", ["init"]);
    expect([ready.exitCode, ready.log]).toEqual([0, expect.stringContaining("making the repository s3 ready")]);
    const backup = await run("postgres-diff", "full", ["backup", "postgres", "full"]);
    expect([backup.exitCode, backup.log]).toEqual([0, expect.stringContaining("s3: pgbackrest://s3/main/")]);
    const verified = await run("verify", "verify", ["verify", "latest", "--store", "postgres"]);
    expect([verified.exitCode, verified.log]).toEqual([0, expect.stringContaining("1 backup verified, every copy good")]);
  }, 12 * minutes);
});
