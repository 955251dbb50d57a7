import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { scalePlan } from "../../../plan/scale.ts";
import { hbaLines, identLines, postgresParameters, postgresqlConf, quoteSetting, synchronousStandbyNames, type ClusterMember } from "../../../plan/config/postgresql.ts";

const parameters = (changes = {}) => postgresParameters({ plan: blackroad, version: 15, archiveCommand: "push '%p'", listenAddresses: ["127.0.0.1"], port: 5432, socketDirectory: "/run", ...changes });

const a1: ClusterMember = { name: "us-east-1-a", region: "us-east-1", role: "primary-region" };
const a2: ClusterMember = { name: "us-east-1-b", region: "us-east-1", role: "primary-region" };
const far: ClusterMember = { name: "us-west-2-a", region: "us-west-2", role: "secondary-region" };
const members = [a1, a2, far];

describe("PostgreSQL's parameters", () => {
  it("are those of the requirements (M1) and of the plan", () => {
    expect(parameters()).toMatchObject({ wal_level: "replica", archive_mode: "on", archive_timeout: "60s", archive_command: "push '%p'", password_encryption: "scram-sha-256", ssl: "off", max_slot_wal_keep_size: `${blackroad.postgres.slotWalLimit / 1024 ** 2}MB` });
    expect(postgresParameters({ plan: scalePlan(blackroad, 1000), version: 15, archiveCommand: "x", listenAddresses: [], port: 1, socketDirectory: "/" })["archive_timeout"]).toBe("1s");
  });

  it("encrypt where the files are given", () => {
    expect(parameters({ tls: { certFile: "/c", keyFile: "/k" } })).toMatchObject({ ssl: "on", ssl_cert_file: "/c", ssl_key_file: "/k", ssl_min_protocol_version: "TLSv1.2" });
  });

  it("are written so that PostgreSQL reads them back", () => {
    expect(postgresqlConf({ archive_command: "it's a\\b" })).toBe("archive_command = 'it''s a\\\\b'\n");
    expect(quoteSetting("")).toBe("''");
  });
});

describe("who is waited for", () => {
  it("is the near standby, then the far one; in the secondary region nobody", () => {
    expect(synchronousStandbyNames(a1, members)).toBe('FIRST 1 ("us-east-1-b", "us-west-2-a")');
    expect(synchronousStandbyNames(a2, members)).toBe('FIRST 1 ("us-east-1-a", "us-west-2-a")');
    expect(synchronousStandbyNames(far, members)).toBe("");
  });

  it("is nobody where there is nobody", () => {
    expect(synchronousStandbyNames(a1, [a1])).toBe("");
  });

  it("is quoted", () => {
    expect(synchronousStandbyNames(a1, [a1, { ...a2, name: 'b"c' }])).toBe('FIRST 1 ("b""c")');
  });
});

describe("who may connect", () => {
  it("is over the socket an account that is mapped, over the network whoever knows the password", () => {
    const lines = hbaLines({ superuser: "postgres", replicationUser: "replicator", tls: true, networks: ["10.0.0.0/8"] });
    expect(lines).toContain("local all postgres peer map=blackroad");
    expect(lines).toContain("hostssl replication replicator 10.0.0.0/8 scram-sha-256");
    expect(lines.join()).not.toMatch(/trust|md5|password/);
    expect(identLines(["postgres", "root", "root"], "postgres")).toEqual(["blackroad postgres postgres", "blackroad root postgres"]);
  });
});
