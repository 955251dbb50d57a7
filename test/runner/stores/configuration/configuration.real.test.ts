import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { needs } from "../../../../runner/catalog/needs.ts";
import { outcomeOf } from "../../../../runner/catalog/record.ts";
import { decryptBytes } from "../../../../runner/encryption/openpgp.ts";
import type { ConfigurationConfig } from "../../../../runner/stores/configuration/config.ts";
import { configurationConfigSchema } from "../../../../runner/stores/configuration/config.ts";
import { backUpConfiguration } from "../../../../runner/stores/configuration/back-up.ts";
import { recoverConfiguration } from "../../../../runner/stores/configuration/recover.ts";
import { secretsIn } from "../../../../runner/stores/configuration/manifests.ts";
import { verifyConfiguration } from "../../../../runner/stores/configuration/verify.ts";
import { run } from "../../../../runner/system/process.ts";
import { verifyOne } from "../../../../runner/verify.ts";
import { testContext, type TestContext, type TestContextOptions } from "../../../harness/context.ts";
import { startFakeCluster, type FakeCluster } from "../../../harness/kubernetes-server.ts";
import { temporaryFolder } from "../../../harness/temporary.ts";

const folder = await temporaryFolder("configuration");
const contexts: TestContext[] = [];
let cluster: FakeCluster;
let runs = 0;

const git = async (...args: string[]): Promise<string> =>
  (await run("git", ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main", ...args], { deadline: 30, env: { GIT_CONFIG_GLOBAL: "/dev/null" } })).stdout.trim();
const repository = (): string => join(folder.path, `repository-${runs}`);
const state = (): string => join(folder.path, `state-${runs}`);

async function commit(text: string): Promise<string> {
  await writeFile(join(repository(), "file"), text);
  await git("-C", repository(), "add", "file");
  await git("-C", repository(), "commit", "--quiet", "-m", text);
  return git("-C", repository(), "rev-parse", "HEAD");
}

async function writeState(stack: string, secret: string): Promise<void> {
  const path = join(state(), ".pulumi", "stacks", "dr", `${stack}.json`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify({ version: 3, checkpoint: { stack, latest: { secrets_providers: { type: "cloud" }, resources: [{ outputs: { ciphertext: secret } }] } } }));
  await writeFile(`${path}.bak`, "not read");
  await writeFile(join(state(), ".pulumi", "meta.yaml"), "version: 1\n");
}

beforeAll(async () => {
  cluster = await startFakeCluster(join(folder.path, "cluster"));
});
afterAll(async () => {
  await cluster.close();
  await folder.remove();
});
beforeEach(async () => {
  runs += 1;
  await git("init", "--quiet", repository());
  await commit("first");
  await writeState("primary", "v1:c2VjcmV0");
  cluster.forget();
  cluster.lists["/apis/apps/v1/deployments"] = [
    {
      metadata: { name: "api", namespace: "services", uid: "1", resourceVersion: "77", managedFields: [{}], annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", note: "kept" } },
      spec: { template: { spec: { imagePullSecrets: [{ name: "registry" }], volumes: [{ secret: { secretName: "tls" } }], containers: [{ env: [{ valueFrom: { secretKeyRef: { name: "database", key: "password" } } }] }] } } },
      status: { readyReplicas: 1 },
    },
  ];
  cluster.lists["/api/v1/configmaps"] = Array.from({ length: 600 }, (_, index) => ({ metadata: { name: `map-${String(index).padStart(3, "0")}`, namespace: "services" }, data: { key: String(index) } }));
  cluster.lists["/apis/batch/v1/jobs"] = [{ metadata: { name: "made", namespace: "services", ownerReferences: [{ kind: "CronJob", controller: true }] } }];
  cluster.lists["/api/v1/secrets"] = [{ metadata: { name: "database", namespace: "services", annotations: { value: "SECRET-VALUE" } }, data: { password: "SECRET-VALUE" } }];
  cluster.asked.length = 0;
});
afterEach(() => {
  for (const context of contexts.splice(0)) context.close();
});

const whole = (): ConfigurationConfig => configurationConfigSchema.parse({ repositories: [{ name: "infrastructure", source: repository() }], kubernetes: cluster.config, states: [{ kind: "folder", name: "main", path: state() }] });

async function context(more: Partial<TestContextOptions> = {}, configuration: Partial<ConfigurationConfig> = {}): Promise<TestContext> {
  const made = await testContext({ folder: join(folder.path, `run-${runs}`), ...more, config: { configuration: { ...whole(), ...configuration }, ...more.config } });
  contexts.push(made);
  return made;
}
const into = (name = "into"): string => join(folder.path, `${name}-${runs}`);
const stored = async (run: TestContext, backend = "r2"): Promise<string[]> => (await readdir(join(run.config.workDirectory, "..", backend, "configuration"), { recursive: true })).filter((name) => name.endsWith(".pgp"));

describe("the configuration", () => {
  it("comes back as it was: repositories, manifests and states, and no secret's value", async () => {
    const first = await git("-C", repository(), "rev-parse", "HEAD");
    await git("-C", repository(), "branch", "side");
    await git("-C", repository(), "tag", "-a", "v1", "-m", "v1");
    const run = await context();
    const { record, outcome, changed } = await backUpConfiguration(run);
    expect([outcome, changed, record.store, record.kind, record.expiresAt]).toEqual(["ok", true, "configuration", "snapshot", null]);
    const result = await recoverConfiguration(run, { backup: "latest", into: into() });
    expect(result).toMatchObject({ backup: record.id, from: "r2", rejected: [] });

    await git("clone", "--quiet", join(into(), "git/infrastructure.bundle"), into("clone"));
    expect(await git("-C", into("clone"), "rev-parse", "HEAD")).toBe(first);
    expect(await git("-C", into("clone"), "tag")).toBe("v1");
    const deployments = JSON.parse(await readFile(join(into(), "kubernetes/services/deployments.apps.json"), "utf8")) as { items: { metadata: object; status?: unknown }[] };
    expect(deployments.items[0]).toMatchObject({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "api", annotations: { note: "kept" } } });
    expect(Object.keys(deployments.items[0]?.metadata ?? {}).sort()).toEqual(["annotations", "name", "namespace"]);
    expect(deployments.items[0]).not.toHaveProperty("status");
    const maps = JSON.parse(await readFile(join(into(), "kubernetes/services/configmaps.json"), "utf8")) as { items: unknown[] };
    expect(maps.items).toHaveLength(600);
    expect(await readFile(join(into(), "pulumi/main/stacks/dr/primary.json"), "utf8")).toContain("v1:c2VjcmV0");
    expect(await readdir(join(into(), "pulumi/main"), { recursive: true })).not.toContain("stacks/dr/primary.json.bak");

    expect(JSON.parse(await readFile(join(into(), "kubernetes/secrets.json"), "utf8"))).toEqual({ known: "listed", names: { services: ["database"] } });
    const files = (await readdir(into(), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    for (const entry of files) expect(await readFile(join(entry.parentPath, entry.name), "utf8")).not.toContain("SECRET-VALUE");
    expect(cluster.asked.find(({ path }) => path === "/api/v1/secrets")?.accept).toContain("PartialObjectMetadataList");
    expect(files.some(({ name }) => name.startsWith("jobs"))).toBe(false); // its CronJob makes it anew
  });

  it("names the secrets that objects refer to where the account may not list secrets", async () => {
    cluster.lists["/api/v1/secrets"] = 403;
    const run = await context();
    await backUpConfiguration(run);
    await recoverConfiguration(run, { backup: "latest", into: into() });
    expect(JSON.parse(await readFile(join(into(), "kubernetes/secrets.json"), "utf8"))).toEqual({ known: "referenced", names: { services: ["database", "registry", "tls"] } });
    expect(secretsIn({ tls: [{ secretName: "certificate" }], envFrom: [{ secretRef: { name: "all" } }], other: { name: "no" } })).toEqual(["certificate", "all"]);
  });

  it("is stored once: a run that finds nothing changed names the object of the one before, and goes with the window", async () => {
    const run = await context();
    const first = await backUpConfiguration(run);
    cluster.lists["/apis/apps/v1/deployments"] = [{ ...(cluster.lists["/apis/apps/v1/deployments"] as object[])[0], status: { readyReplicas: 0 } }];
    const second = await backUpConfiguration(run);
    const third = await backUpConfiguration(run);
    expect([second.changed, third.changed]).toEqual([false, false]);
    expect(third.record.objects).toEqual(first.record.objects);
    expect(third.record.details["unchangedSince"]).toBe(first.record.id);
    expect([needs(first.record), needs(third.record)]).toEqual([[], [first.record.id]]);
    expect(Date.parse(third.record.expiresAt ?? "") - Date.parse(third.record.startedAt)).toBe(run.plan.recovery.window * 1_000);
    expect(await stored(run)).toHaveLength(1);
    expect((await verifyOne(run, "latest", { store: "configuration" })).ok).toBe(true);
    await recoverConfiguration(run, { backup: third.record.id, into: into() });
  });

  it("is stored anew after a commit, a branch, a manifest, a state or a new stack, and not else", async () => {
    const run = await context();
    const seen = [(await backUpConfiguration(run)).changed];
    const changes: readonly (() => Promise<unknown>)[] = [
      () => commit("second"),
      () => git("-C", repository(), "update-ref", "refs/heads/other", "HEAD"),
      () => Promise.resolve((cluster.lists["/api/v1/services"] = [{ metadata: { name: "api", namespace: "services" } }])),
      () => writeState("primary", "v1:b3RoZXI"),
      () => writeFile(join(state(), ".pulumi/stacks/dr/other.json.gz"), gzipSync(JSON.stringify({ version: 3, checkpoint: { stack: "other" } }))),
      () => writeFile(join(repository(), "file"), "not committed"),
    ];
    for (const change of changes) {
      await change();
      seen.push((await backUpConfiguration(run)).changed);
    }
    expect(seen).toEqual([true, true, true, true, true, true, false]);
    const record = await run.catalog.find("latest", { store: "configuration" });
    expect((await verifyConfiguration(run, record)).copies.flatMap(({ errors }) => errors)).toEqual([]);
  });

  it("is verified in each copy, and a flipped byte or another passphrase is named", async () => {
    const run = await context();
    const { record } = await backUpConfiguration(run);
    const good = await verifyConfiguration(run, record);
    expect(good.ok).toBe(true);
    expect(good.copies[0]?.checks.map(({ name }) => name).join()).toMatch(/cloned from its bundle.*manifests are readable.*checkpoints are readable/);
    const [object] = record.objects;
    const path = join(run.config.workDirectory, "../s3", object?.key ?? "");
    const bytes = await readFile(path);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect((await verifyConfiguration(run, record)).copies.map(({ ok }) => ok)).toEqual([true, false]);
    await expect(recoverConfiguration({ ...run, passphrase: () => Promise.resolve("another") }, { backup: "latest", into: into("wrong") })).rejects.toThrow(/passphrase does not open/);
    expect(await readdir(into("wrong"))).toEqual([]);
    expect((await decryptBytes(await readFile(join(run.config.workDirectory, "../r2", object?.key ?? "")), await run.passphrase())).subarray(0, 2).toString("hex")).toBe("1f8b"); // gzip
    await rm(join(run.config.workDirectory, "../r2", object?.key ?? ""));
    await expect(recoverConfiguration(run, { backup: "latest", into: into("none") })).rejects.toThrow(/no copy .* can be used/);
  });

  it("is complete or a failure: whatever cannot be read is named, and the backup before stays the newest", async () => {
    const run = await context();
    const { record } = await backUpConfiguration(run);
    const attempt = async (configuration: Partial<ConfigurationConfig>) => backUpConfiguration(await context({}, configuration));
    const { repositories: [mine], states: [states] } = whole();
    if (mine === undefined || states?.kind !== "folder") throw new TypeError("both are configured");
    await expect(attempt({ repositories: [{ ...mine, source: join(folder.path, "missing") }] })).rejects.toThrow(/git/);
    await expect(attempt({ repositories: [{ ...mine, source: "https://localhost:1/none.git" }] })).rejects.toThrow(/localhost/);
    await git("clone", "--quiet", "--depth", "1", `file://${repository()}`, into("shallow"));
    await expect(attempt({ repositories: [{ ...mine, source: into("shallow") }] })).rejects.toThrow(/shallow clone/);
    await expect(attempt({ states: [{ ...states, path: into("empty") }] })).rejects.toThrow(/does not exist/);
    await mkdir(join(into("empty"), ".pulumi"), { recursive: true });
    await expect(attempt({ states: [{ ...states, path: into("empty") }] })).rejects.toThrow(/no stack in Pulumi's state/);
    await writeFile(join(state(), ".pulumi/stacks/dr/primary.json"), '{"version":3,"checkp');
    await expect(attempt({})).rejects.toThrow(/no checkpoint of a Pulumi stack/);
    await writeState("primary", "v1:c2VjcmV0");
    for (const status of [403, 500]) {
      cluster.lists["/api/v1/services"] = status;
      await expect(attempt({})).rejects.toThrow(new RegExp(`Kubernetes answered ${status}`));
    }
    cluster.lists["/api/v1/services"] = [];
    await writeFile(into("token"), "another");
    await expect(attempt({ kubernetes: { ...cluster.config, tokenFile: into("token") } })).rejects.toThrow(/Kubernetes answered 401/);
    expect((await run.catalog.find("latest", { store: "configuration" })).id).toBe(record.id);
    const { records } = await run.catalog.list({ store: "configuration" });
    expect(records.filter((one) => outcomeOf(one) === "failed").length).toBeGreaterThan(6);
  });

  it("takes a repository by its URL, one without commits, and one that is another's", async () => {
    await git("init", "--quiet", into("empty"));
    await chmod(repository(), 0o755);
    if (process.getuid?.() === 0) await run("chown", ["-R", "nobody", repository()], { deadline: 30 });
    const [base] = whole().repositories;
    if (base === undefined) throw new TypeError("it is configured");
    const made = await context({}, { repositories: [base, { name: "by-url", source: `file://${into("url")}` }, { name: "empty", source: into("empty") }] });
    await git("init", "--quiet", "--bare", into("url"));
    await run("chown", ["-R", String(process.getuid?.() ?? 0), into("url")], { deadline: 30 });
    await git("-c", "safe.directory=*", "-C", repository(), "push", "--quiet", into("url"), "HEAD:refs/heads/main");
    const { record } = await backUpConfiguration(made);
    expect(record.details["repositories"]).toMatchObject({ empty: { count: 0 }, "by-url": { count: 1, bundle: "git/by-url.bundle" } });
    expect((await verifyConfiguration(made, record)).ok).toBe(true);
    expect((await backUpConfiguration(made)).changed).toBe(false);
  });

  it("is made twice at once, and both end well", async () => {
    const run = await context();
    const results = await Promise.all([backUpConfiguration(run), backUpConfiguration(run)]);
    expect(results.map(({ outcome }) => outcome)).toEqual(["ok", "ok"]);
    expect(new Set(results.map(({ record }) => record.details["fingerprint"])).size).toBe(1);
    for (const { record } of results) expect((await verifyConfiguration(run, record)).ok).toBe(true);
    expect(await readdir(join(run.config.workDirectory, "configuration"))).toEqual([]);
  });
});
