import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { drJson, type DrJson } from "../../../plan/config/dr-json.ts";
import { redisRoles } from "../../../plan/config/redis.ts";
import { r2AccessOf, rolesOf, scratchOf, secretsOfIdentity, serversOf } from "../../../plan/identity-needs.ts";
import { identities, identityOf, writtenBy } from "../../../plan/identities.ts";
import { backupSubjects, storeOfSchedule } from "../../../plan/schedule-store.ts";
import { postgresRoles, secretsOf } from "../../../plan/secrets.ts";
import { ports } from "../../../plan/servers.ts";
import { gib } from "../../../plan/units.ts";
import { parseConfig, type RunnerConfig } from "../../../runner/config.ts";

const servers = { postgres: { local: { host: "pg.example", port: 5432 }, pgbackrest: { host: "pgbackrest.example", port: ports.postgres.pgbackrest } }, redis: [{ host: "redis-0.example", port: 6379 }, { host: "redis-1.example", port: 6379 }] };
const objectStores = { r2: { endpoint: "0123.r2.cloudflarestorage.com" }, s3: { endpoint: "s3.us-west-2.amazonaws.com" } };
const input: DrJson = { plan: blackroad, identity: "all", servers, objectStores };
const configOf = (more: Partial<DrJson>): RunnerConfig => parseConfig(JSON.parse(drJson({ ...input, ...more })), "dr.json");

describe("dr.json", () => {
  it.each(identities.map(({ name }) => name))("of %s is one that the runner takes", (identity) => {
    const config = configOf({ identity });
    expect(config.backends.map(({ name }) => name)).toEqual(["r2", "s3"]);
    expect(config.workDirectory).toBe("/var/lib/dr/work");
  });

  it("names files of secrets that the identity holds, and no other, and no secret itself", () => {
    for (const { name: identity } of identities) {
      const text = drJson({ ...input, identity });
      const files = [...text.matchAll(/"\/run\/secrets\/dr\/([^/]+)\/value"/g)].map((match) => match[1] ?? "");
      // The passphrase's path stands in every file, as the runner asks for it; without the secret it leads nowhere.
      const held = new Set([...secretsOfIdentity(blackroad, identity), "runner", "pgbackrest-r2", "pgbackrest-s3"]);
      expect(files.filter((file) => !held.has(file)), identity).toEqual([]);
    }
  });

  it("reaches R2 with a token's file, and S3 with the pod's own role", () => {
    const [r2, s3] = configOf({}).backends;
    expect(r2).toMatchObject({ kind: "s3", bucket: "blackroad-backups", region: "auto", credentialsFile: "/run/secrets/dr/r2-writer/value", quotaBytes: gib(20_480), pgbackrest: { path: "/pgbackrest", cipherPassFile: "/run/secrets/dr/pgbackrest-r2/value" } });
    expect(s3).toMatchObject({ kind: "s3", bucket: "blackroad-backups-dr", region: "us-west-2" });
    expect(s3).not.toHaveProperty("credentialsFile");
    // R2's locks are by prefix, so it has one bucket for all.
    expect([r2, s3].map((backend) => backend?.kind === "s3" && backend.shortLived)).toEqual([undefined, { bucket: "blackroad-backups-dr-short", prefixes: ["redis/", "vectors/", "agents/"] }]);
  });

  it("takes a private store's file and authority instead", () => {
    const { backends } = configOf({ objectStores: { s3: { endpoint: "s3.test:9000", credentialsFile: "/c", caFile: "/ca" } } });
    expect(backends).toMatchObject([{ name: "s3", endpoint: "s3.test:9000", credentialsFile: "/c", caFile: "/ca" }]);
  });

  it("sends a job to its own region's servers, as the role of its work, encrypted", () => {
    const { postgres, redis, readOnly } = configOf({ identity: "postgres" });
    expect(postgres).toMatchObject({ host: "pg.example", port: 5432, user: "blackroad_backup", database: "blackroad", passwordFile: "/run/secrets/dr/postgres-backup/value", caFile: "/run/secrets/dr-postgres-tls/ca.crt", pgbackrestServer: { host: "pgbackrest.example", port: 8432, certFile: "/run/secrets/dr-postgres-tls/tls.crt" } });
    expect([redis, readOnly]).toEqual([undefined, false]);
    expect(configOf({ identity: "redis" }).redis).toMatchObject({ servers: servers.redis, user: "backup", passwordFile: "/run/secrets/dr/redis-backup/value", caFile: "/run/secrets/dr-redis-tls/ca.crt" });
    expect(configOf({ identity: "agents" }).postgres).not.toHaveProperty("pgbackrestServer");
  });

  it("logs in to Vault with the account's own token, and opens its snapshots with the seal's key where they are verified", () => {
    const vault = "https://vault.example:8200";
    for (const identity of ["vault", "all"] as const) {
      expect(configOf({ identity, servers: { ...servers, vault } }).vault).toEqual({ server: { address: vault, caFile: "/run/secrets/dr-vault-tls/ca.crt", login: { method: "kubernetes", role: `dr-${identity}`, mount: "kubernetes", tokenFile: "/run/secrets/dr-vault-token/token" } } });
    }
    expect(configOf({ identity: "vault", servers: {} }).vault).toBeUndefined();
    expect(configOf({ identity: "redis", servers: { ...servers, vault } }).vault).toBeUndefined();
    for (const identity of ["verify", "restore"] as const) expect(configOf({ identity, servers: { vault } }).vault).toEqual({ seal: { type: "awskms", region: "us-west-2", key: "alias/blackroad-vault-seal" } });
  });

  it("lets the exporter and a restorer only read, and gives a restorer no server of production", () => {
    expect(configOf({ identity: "exporter" })).toMatchObject({ readOnly: true, postgres: { user: "blackroad_monitoring" }, redis: { user: "monitoring" } });
    const restorer = configOf({ identity: "restore", servers: {} });
    expect(restorer).toMatchObject({ readOnly: true, backends: [{ credentialsFile: "/run/secrets/dr/r2-reader/value" }, {}] });
    expect([restorer.postgres, restorer.redis]).toEqual([undefined, undefined]);
    expect(configOf({ identity: "verify", servers: {} }).readOnly).toBe(false);
  });

  it("tells of the services' objects to those alone who copy, verify or recover them", () => {
    const objects = { endpoint: "0123.r2.cloudflarestorage.com", bucket: "blackroad-objects", credentialsFile: "/run/secrets/objects/reader" };
    const told = identities.map(({ name }) => name).filter((identity) => configOf({ identity, objects }).objects !== undefined);
    expect(told.sort()).toEqual(["all", "objects", "restore", "verify"]);
    expect(configOf({ identity: "objects", objects }).objects).toEqual({ ...objects, region: "auto", prefix: "" });
    expect(configOf({ identity: "objects" }).objects).toBeUndefined();
  });

  it("tells of Prometheus, the cluster and the repositories to those alone who keep them", () => {
    const configuration = { repositories: [{ name: "infrastructure", source: "https://git.example/i.git" }], states: [{ name: "pulumi", endpoint: "s3.us-west-2.amazonaws.com", region: "us-west-2", bucket: "blackroad-pulumi-state" }] };
    const more: Partial<DrJson> = { servers: { ...servers, prometheus: { url: "http://prometheus:9090" }, kubernetes: true }, configuration };
    for (const { name: identity } of identities) {
      const config = configOf({ ...more, identity });
      expect(config.metrics, identity).toEqual(identity === "metrics" ? { url: "http://prometheus:9090", dataDirectory: "/prometheus" } : undefined);
      expect(config.configuration?.kubernetes?.url, identity).toBe(identity === "config" ? "https://kubernetes.default.svc" : undefined);
    }
    expect(configOf({ ...more, identity: "config" }).configuration).toMatchObject({ repositories: configuration.repositories, states: [{ kind: "s3", bucket: "blackroad-pulumi-state", prefix: "" }] });
    expect(configOf({ identity: "config" }).configuration).toBeUndefined();
  });

  it("tells people of failures through those alone who back up or verify", () => {
    const notifications = { alertmanager: "http://alertmanager:9093", webhookFile: "/run/secrets/dr-notifications/webhook", labels: { region: "us-east-1" } };
    const told = identities.filter(({ name: identity }) => configOf({ identity, notifications }).notifications !== undefined).map(({ name }) => name);
    expect(told).toEqual(identities.filter(({ access }) => access !== "restorer").map(({ name }) => name));
    expect(configOf({ identity: "redis", notifications }).notifications).toEqual({ alertmanagers: [{ url: "http://alertmanager:9093" }], webhooks: [{ urlFile: notifications.webhookFile }], labels: { region: "us-east-1" } });
    expect(configOf({ identity: "redis", notifications: {} }).notifications).toEqual({ alertmanagers: [], webhooks: [], labels: {} });
  });

  it("sends to the vector store those who back it up, with the key that opens everything", () => {
    const nodes = ["https://qdrant-0.example:6333", "https://qdrant-1.example:6333"];
    const asked = { ...servers, vectors: { kind: "qdrant" as const, nodes } };
    expect(configOf({ identity: "vectors", servers: asked }).vectors).toEqual({ kind: "qdrant", nodes, caFile: "/run/secrets/dr-vectors-tls/ca.crt", apiKeyFile: "/run/secrets/dr/qdrant/value" });
    expect(configOf({ identity: "redis", servers: asked }).vectors).toBeUndefined();
    expect(configOf({ identity: "vectors" }).vectors).toBeUndefined();
    const pinecone = { kind: "pinecone" as const, index: "blackroad", host: "https://blackroad-abc.svc.example", changedField: "updated_at" };
    expect(configOf({ identity: "all", servers: { ...servers, vectors: pinecone } }).vectors).toMatchObject({ ...pinecone, control: "https://api.pinecone.io" });
  });

  it("tells of the archive to those who write it, look after it or restore from it", () => {
    for (const { name: identity } of identities) {
      const expected = { kind: "glacier-vault", vault: "blackroad-archive", region: "eu-west-1", name: "archive" };
      if (["archive", "verify", "restore"].includes(identity)) expect(configOf({ identity }).archive, identity).toMatchObject(expected);
      else expect(configOf({ identity }).archive, identity).toBeUndefined();
    }
  });

  it("refuses to leave out what the identity cannot do without", () => {
    expect(() => drJson({ ...input, identity: "postgres", servers: {} })).toThrow(/needs PostgreSQL's address/);
    expect(() => drJson({ ...input, identity: "redis", servers: { redis: [] } })).toThrow(/needs Redis's address/);
    expect(() => drJson({ ...input, objectStores: {} })).toThrow(/names no object store/);
  });
});

describe("what an identity is given", () => {
  it("is of the plan: secrets, roles and servers that exist", () => {
    const known = secretsOf(blackroad).map(({ name }) => name);
    for (const { name } of identities) {
      expect(secretsOfIdentity(blackroad, name).filter((secret) => !known.includes(secret)), name).toEqual([]);
      const { postgres, redis } = rolesOf(name);
      expect(postgres === undefined || postgresRoles.includes(postgres)).toBe(true);
      expect(redis === undefined || redisRoles.includes(redis)).toBe(true);
      expect(serversOf(name).includes("postgres"), name).toBe(postgres !== undefined);
      expect(serversOf(name).includes("redis"), name).toBe(redis !== undefined);
    }
  });

  it("is R2's writer for those who write alone", () => {
    for (const { name, access } of identities) expect(r2AccessOf(name), name).toBe(access === "writer" ? "writer" : "reader");
  });

  it("is never a superuser's password, and never another store's passphrase", () => {
    for (const { name } of identities) {
      const secrets = secretsOfIdentity(blackroad, name);
      expect(secrets.filter((secret) => /superuser|replication|rewind|app|recovery|patroni/.test(secret)), name).toEqual([]);
    }
    expect(secretsOfIdentity(blackroad, "redis")).toEqual(["runner", "redis-backup", "r2-writer"]);
    expect(secretsOfIdentity(blackroad, "postgres")).not.toContain("runner");
  });

  it("is room for what it spools, from the plan's sizes", () => {
    expect(scratchOf(blackroad, "redis")).toBe(gib(2));
    expect(scratchOf(blackroad, "agents")).toBe(gib(2 + 1.5 * 2));
    expect(scratchOf(blackroad, "verify")).toBe(gib(2 + 1.5 * 100));
  });

  it("covers every schedule once, and the daily run writes for every store that it backs up", () => {
    const run = identities.flatMap(({ schedules }) => schedules);
    expect([...run].sort()).toEqual(blackroad.schedules.map(({ name }) => name).sort());
    expect(writtenBy(identityOf("postgres-full"))).toEqual(expect.arrayContaining(["postgres-full", "redis-snapshot", "vault-snapshot", "agents-checkpoint"]));
    expect(writtenBy(identityOf("redis-snapshot"))).toEqual(["redis-snapshot"]);
    expect(identityOf("postgres-incremental").name).toBe("postgres");
  });

  it("knows the store of every schedule, and every subject of dr backup", () => {
    for (const { name, command } of blackroad.schedules) {
      const store = storeOfSchedule[name];
      if (store !== undefined) expect(blackroad.stores.map((one) => one.name), name).toContain(store);
      if (command[0] === "backup") expect([...backupSubjects], name).toContain(command[1]);
    }
  });
});
