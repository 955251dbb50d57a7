import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { ArgumentError } from "../../../components/component.ts";
import { PostgresAccess, type PostgresAccessArgs } from "../../../components/databases/postgres-access.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { declare } from "../../harness/pulumi.ts";

const secret = (value: string) => pulumi.secret(value);
const args = (changes: Partial<PostgresAccessArgs> = {}): PostgresAccessArgs => ({
  plan: blackroad, clusterRole: "primary", enabled: true, lifetime: "kept",
  connection: { host: "pg.us-east-1.dr.example", port: 5432, superuserPassword: secret("of-the-superuser"), authorityFile: "/etc/dr/ca.crt" },
  passwords: { app: secret("p-app"), backup: secret("p-backup"), recovery: secret("p-recovery"), monitoring: secret("p-monitoring"), heartbeat: secret("p-heartbeat") },
  ...changes,
});
const access = (changes: Partial<PostgresAccessArgs> = {}) => declare(() => new PostgresAccess("access", args(changes)));

describe("PostgresAccess", () => {
  it("declares a role for each purpose, with its password as a secret and no more than it needs", async () => {
    const declared = await access();
    const roles = new Map(declared.of("postgresql:index/role:Role").map(({ inputs }) => [inputs["name"], inputs]));
    expect([...roles.keys()].sort()).toEqual(["blackroad_app", "blackroad_backup", "blackroad_heartbeat", "blackroad_monitoring", "blackroad_recovery"]);
    expect(roles.get("blackroad_monitoring")).toMatchObject({ login: true, roles: ["pg_monitor"], password: { secret: "p-monitoring" } });
    expect(roles.get("blackroad_backup")).toMatchObject({ roles: ["pg_read_all_data"], password: { secret: "p-backup" } });
    for (const inputs of roles.values()) {
      expect(inputs).not.toHaveProperty("superuser");
      expect(inputs).not.toHaveProperty("replication");
      expect(inputs).not.toHaveProperty("createDatabase");
    }
  });

  it("declares the services' database and the heartbeat's, each with an owner, and keeps strangers out", async () => {
    const declared = await access();
    expect(declared.of("postgresql:index/database:Database").map(({ inputs }) => [inputs["name"], inputs["owner"]])).toEqual(expect.arrayContaining([["blackroad", "blackroad_app"], ["blackroad_heartbeat", "blackroad_heartbeat"]]));
    const closed = declared.of("postgresql:index/grant:Grant").filter(({ inputs }) => inputs["role"] === "public");
    expect(closed.map(({ inputs }) => [inputs["database"], inputs["privileges"]])).toEqual(expect.arrayContaining([["blackroad", []], ["blackroad_heartbeat", []]]));
  });

  it("lets the backups mark recovery points, and a recovery write into the services' tables, also later ones", async () => {
    const declared = await access();
    expect(declared.one("postgresql:index/grant:Grant", "access-restore-points").inputs).toMatchObject({ role: "blackroad_backup", database: "blackroad", schema: "pg_catalog", objectType: "function", objects: ["pg_create_restore_point", "pg_switch_wal"], privileges: ["EXECUTE"] });
    expect(declared.one("postgresql:index/defaultPrivileges:DefaultPrivileges", "access-recovery-tables").inputs).toMatchObject({ role: "blackroad_recovery", owner: "blackroad_app", privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] });
  });

  it("connects as the superuser to a server that shows the authority's certificate, with a deadline", async () => {
    const provider = (await access()).one("pulumi:providers:postgresql");
    expect(provider.inputs).toMatchObject({ username: "postgres", sslmode: "verify-full", sslrootcert: "/etc/dr/ca.crt", password: { secret: "of-the-superuser" } });
    expect(Number(provider.inputs["connectTimeout"])).toBeLessThanOrEqual(15);
  });

  it("declares everything by its own connection, and grants one after the other", async () => {
    const declared = await access();
    const provider = declared.one("pulumi:providers:postgresql");
    for (const one of declared.all.filter(({ type }) => type.startsWith("postgresql:"))) expect(one.provider).toBe(`${provider.urn}::${provider.name}-id`);
    const connect = ["backup", "recovery", "monitoring"].map((role) => declared.one("postgresql:index/grant:Grant", `access-${role}-connect`));
    expect(connect[1]?.dependencies).toContain(connect[0]?.urn);
    expect(connect[2]?.dependencies).toContain(connect[1]?.urn);
  });

  it("drops and revokes nothing that is kept where it is left out, as that would need the database, and all in a drill", async () => {
    const made = (declared: Awaited<ReturnType<typeof access>>) => declared.all.filter(({ type }) => type.startsWith("postgresql:"));
    for (const one of made(await access())) expect(one).toMatchObject({ protect: false, retainOnDelete: true });
    for (const one of made(await access({ lifetime: "ephemeral" }))) expect(one).toMatchObject({ protect: false, retainOnDelete: false });
  });

  it("takes over roles and databases that exist, by their names, where it is told to", async () => {
    const imported = (declared: Awaited<ReturnType<typeof access>>) => declared.all.filter(({ importId }) => importId !== "").map(({ importId }) => importId).sort();
    expect(imported(await access())).toEqual([]);
    expect(imported(await access({ adopt: true }))).toEqual(["blackroad", "blackroad_app", "blackroad_backup", "blackroad_heartbeat", "blackroad_heartbeat", "blackroad_monitoring", "blackroad_recovery"]);
  });

  it("gives no password away in its own arguments and outputs", async () => {
    const component = (await access()).one("blackroad:databases:PostgresAccess");
    expect(JSON.stringify([component.inputs, component.outputs])).not.toMatch(/p-|of-the-superuser/);
    expect(component.outputs).toMatchObject({ enabled: true, databases: ["blackroad", "blackroad_heartbeat"] });
  });

  it("declares nothing, and connects to nothing, while the database is not there", async () => {
    const declared = await access({ enabled: false, connection: { host: "", port: 0, superuserPassword: secret("") } });
    expect(declared.all.map(({ type }) => type)).toEqual(["blackroad:databases:PostgresAccess"]);
  });

  it.each([
    ["a standby", { clusterRole: "standby" } as const, "a standby is read-only"],
    ["a witness", { clusterRole: "witness" } as const, "this is the witness"],
    ["a restored database, whose roles come with it", { clusterRole: "restored" } as const, "this is the restored"],
    ["no host", { connection: { host: "", port: 5432, superuserPassword: "x" } }, "connection.host: it is empty"],
    ["a port that is none", { connection: { host: "pg", port: 70_000, superuserPassword: "x" } }, "connection.port: 70000 is no port"],
  ])("refuses %s", async (_, changes, problem) => {
    const declared = await declare(() => {
      try {
        return new PostgresAccess("access", args(changes));
      } catch (error) {
        return error;
      }
    });
    expect(declared.outputs).toBeInstanceOf(ArgumentError);
    expect(String(declared.outputs)).toContain(problem);
    expect(declared.all).toEqual([]);
  });
});
