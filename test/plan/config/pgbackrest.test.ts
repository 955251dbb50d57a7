import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { scalePlan } from "../../../plan/scale.ts";
import { archiveCommand, jobsCommonName, pgbackrestConf, pgbackrestRetention, splitEndpoint, type PgbackrestConf, type PgbackrestRepository } from "../../../plan/config/pgbackrest.ts";

const r2: PgbackrestRepository = { kind: "s3", index: 1, path: "/pgbackrest", endpoint: "account.r2.example:8443", bucket: "blackroad-backups", region: "auto", access: { kind: "key", key: "k1", keySecret: "s1" }, cipherPass: "p1", caFile: "/ca.crt" };
const folder: PgbackrestRepository = { kind: "posix", index: 2, path: "/mnt/backups/pgbackrest", cipherPass: "p2" };

const conf = (changes: Partial<PgbackrestConf> = {}): string =>
  pgbackrestConf({ plan: blackroad, version: { major: 2, minor: 45 }, stanza: "main", repositories: [r2, folder], pg: { path: "/data", port: 5432, socketPath: "/run/pg" }, spool: "/spool", lockPath: "/lock", logPath: "/log", processMax: 4, ...changes });

/** `section` → its lines. */
const sections = (text: string): Record<string, string[]> =>
  Object.fromEntries(text.trim().split(/\n\n/).map((block) => {
    const [head = "", ...lines] = block.split("\n");
    return [head.slice(1, -1), lines];
  }));

describe("pgbackrest.conf", () => {
  it("numbers repositories by the configuration, also where it names one alone", () => {
    const alone = sections(conf({ repositories: [folder] }))["global"];
    expect(alone).toContain("repo2-path=/mnt/backups/pgbackrest");
    expect(alone?.filter((line) => line.startsWith("repo1-"))).toEqual([]);
    expect(sections(conf())["global"]).toEqual(expect.arrayContaining(["repo1-s3-endpoint=account.r2.example", "repo1-storage-port=8443", "repo1-s3-uri-style=path", "repo1-storage-ca-file=/ca.crt", "repo1-cipher-type=aes-256-cbc", "repo1-cipher-pass=p1", "repo2-type=posix", "repo2-cipher-pass=p2"]));
  });

  it("pushes asynchronously, gives up on a dead repository soon, and never drops WAL", () => {
    const all = sections(conf());
    expect(all["global"]).toContain("archive-async=y");
    expect(all["global:archive-push"]).toEqual([`io-timeout=${blackroad.postgres.ioTimeout}`]);
    expect(conf()).not.toContain("archive-push-queue-max");
    expect(all["global"]?.filter((line) => line.startsWith("io-timeout"))).toEqual([]);
    const wait = Number(/archive-timeout=(\d+)/.exec(conf())?.[1]);
    expect(wait).toBeGreaterThanOrEqual(blackroad.postgres.archiveTimeout + blackroad.postgres.pushBoundDegraded);
  });

  it("keeps full backups for the plan's days, and WAL for one full backup more than its window has", () => {
    expect(pgbackrestRetention(blackroad)).toEqual({ fullDays: 90, archiveFulls: 8 });
    expect(pgbackrestRetention(scalePlan(blackroad, 60))).toEqual({ fullDays: 2, archiveFulls: 8 });
    expect(sections(conf())["global"]).toEqual(expect.arrayContaining(["repo1-retention-full-type=time", "repo1-retention-full=90", "repo1-retention-archive=8", "repo1-retention-archive-type=full"]));
    expect(conf({ repositories: [{ ...r2, readOnly: true }] })).not.toContain("retention");
    expect(() => pgbackrestRetention({ ...blackroad, schedules: [] })).toThrow(/no schedule postgres-full/);
  });

  it("uses what the version has: bundles from 2.39, blocks from 2.46", () => {
    expect(conf({ version: { major: 2, minor: 38 } })).not.toMatch(/bundle|block/);
    expect(conf()).toContain("repo1-bundle=y");
    expect(conf()).not.toContain("block");
    expect(conf({ version: { major: 2, minor: 55 } })).toContain("repo1-block=y");
  });

  it("never resumes, and starts at once", () => {
    expect(sections(conf())["global"]).toEqual(expect.arrayContaining(["resume=n", "start-fast=y"]));
  });

  it("refuses values that would break the file", () => {
    for (const cipherPass of ["", "two\nlines", " spaces "]) expect(() => conf({ repositories: [{ ...folder, cipherPass }] })).toThrow(/repo2-cipher-pass .* one line/);
  });

  it("takes temporary credentials", () => {
    expect(conf({ repositories: [{ ...r2, access: { kind: "key", key: "k1", keySecret: "s1", token: "t" } }] })).toContain("repo1-s3-token=t");
  });

  it("takes the pod's own role, and no key with it", () => {
    const text = conf({ repositories: [{ ...r2, access: { kind: "web-identity" } }] });
    expect(text).toContain("repo1-s3-key-type=web-id");
    expect(text).not.toMatch(/repo1-s3-key=|repo1-s3-key-secret|repo1-s3-token/);
  });

  const files = { caFile: "/ca.crt", certFile: "/tls.crt", keyFile: "/tls.key" };
  it("serves other hosts by certificate, each client by its name and for this stanza alone", () => {
    const all = sections(conf({ server: { ...files, address: "*", port: 8432, clients: [jobsCommonName, "dr-other"] } }));
    expect(all["global"]).toEqual(expect.arrayContaining(["tls-server-address=*", "tls-server-port=8432", "tls-server-ca-file=/ca.crt", "tls-server-cert-file=/tls.crt", "tls-server-key-file=/tls.key", "tls-server-auth=dr-jobs=main", "tls-server-auth=dr-other=main"]));
    expect(conf()).not.toContain("tls-server");
  });

  it("reaches a database on another host, whose own file says where its socket is", () => {
    const text = conf({ pg: { path: "/data", host: { ...files, name: "pg.example", port: 8432, configFile: "/there.conf" } } });
    expect(sections(text)["main"]).toEqual(["pg1-path=/data", "pg1-host=pg.example", "pg1-host-type=tls", "pg1-host-port=8432", "pg1-host-config=/there.conf", "pg1-host-ca-file=/ca.crt", "pg1-host-cert-file=/tls.crt", "pg1-host-key-file=/tls.key"]);
  });

  it("refuses TLS where the version has none", () => {
    expect(() => conf({ version: { major: 2, minor: 36 }, server: { ...files, address: "*", port: 8432, clients: [] } })).toThrow("pgBackRest 2.36 has no TLS server");
  });

  it("reads endpoints", () => {
    expect(splitEndpoint("localhost:9000")).toEqual({ host: "localhost", port: 9000 });
    expect(splitEndpoint("s3.us-west-2.amazonaws.com")).toEqual({ host: "s3.us-west-2.amazonaws.com", port: undefined });
    expect(splitEndpoint("https://host:8443")).toEqual({ host: "host", port: 8443 });
    expect(splitEndpoint("[::1]:9000")).toEqual({ host: "[::1]", port: 9000 });
  });

  it("names no secret in the archiver's command", () => {
    expect(archiveCommand("/etc/a.conf", "main", "/usr/bin/pgbackrest")).toBe("/usr/bin/pgbackrest --config=/etc/a.conf --stanza=main archive-push %p");
  });
});
