import { dump } from "js-yaml";
import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { judgeResource } from "../../../../policies/core/judge.ts";
import type { ResourceRule } from "../../../../policies/core/rule.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { postgresArchiveTimeout } from "../../../../policies/rules/postgres/archive-timeout.ts";
import { postgresArchiving } from "../../../../policies/rules/postgres/archiving.ts";
import { postgresChecksums } from "../../../../policies/rules/postgres/checksums.ts";
import { patroniVerified } from "../../../../policies/rules/postgres/patroni-verified.ts";
import { postgresSlotsBounded } from "../../../../policies/rules/postgres/slots-bounded.ts";
import { postgresTlsOnly } from "../../../../policies/rules/postgres/tls-only.ts";
import { resource } from "../../../harness/policies.ts";

const parameters = { ssl: "on", archive_mode: "on", archive_command: "pgbackrest --stanza=main archive-push %p", archive_timeout: "60s", max_slot_wal_keep_size: "1GB" };
const pg_hba = ["local all postgres peer", "hostssl all all 10.0.0.0/8 scram-sha-256", "host all all 0.0.0.0/0 reject"];
const account = { sslmode: "verify-full" };
const sound = { restapi: { certfile: "/tls.crt" }, etcd3: { protocol: "https", cacert: "/ca.crt" }, bootstrap: { initdb: ["data-checksums"] }, tags: { region: "us-east-1" } };
/** patroni.yml with changes to its parameters, and to the rest. */
const file = (changes: Readonly<Record<string, unknown>> = {}, rest: Readonly<Record<string, unknown>> = {}, hba: unknown = pg_hba): string =>
  dump({ ...sound, postgresql: { parameters: { ...parameters, ...changes }, pg_hba: hba, authentication: { superuser: account, replication: account } }, ...rest }, { skipInvalid: true });
const judge = (rule: ResourceRule, text: unknown, namespace = "blackroad-dr") =>
  judgeResource(rule, resource("kubernetes:core/v1:ConfigMap", { metadata: { namespace }, data: { "patroni-pg-0.yml": text, "secrets.sh": "set -eu" } }), { plan: blackroad, production: true }).map(({ kind, path }) => `${kind} ${path.replace("data.patroni-pg-0.yml", "file").replace("postgresql.parameters.", "")}`);

const rules: readonly ResourceRule[] = [postgresArchiving, postgresArchiveTimeout, postgresChecksums, postgresSlotsBounded, postgresTlsOnly, patroniVerified];

describe.each(rules.map((rule) => [rule.id, rule] as const))("%s", (_, rule) => {
  it("lets a sound file pass, and ConfigMaps of other things", () => {
    expect(judge(rule, file())).toEqual([]);
    expect(judgeResource(rule, resource("kubernetes:core/v1:ConfigMap", { data: { "dr.json": "{}" } }), { plan: blackroad, production: true })).toEqual([]);
    expect(judgeResource(rule, resource("kubernetes:core/v1:ConfigMap", {}), { plan: blackroad, production: true })).toEqual([]);
  });

  it("catches a file that cannot be read, and one that says nothing", () => {
    expect(judge(rule, "[")).toEqual(["violation file"]);
    expect(judge(rule, "{}")).not.toEqual([]);
  });

  it("says what it could not judge before `up`", () => {
    expect(judge(rule, unknown)).toEqual(["unjudged file"]);
    expect(judgeResource(rule, resource("kubernetes:core/v1:ConfigMap", { data: unknown }), { plan: blackroad, production: true })).toMatchObject([{ kind: "unjudged", path: "data" }]);
  });
});

describe("a setting", () => {
  it.each<[ResourceRule, string, unknown]>([
    ...["off", undefined].map((value): [ResourceRule, string, unknown] => [postgresArchiving, "archive_mode", value]),
    ...["", ":", "true", "/bin/true", "exit 0", "cp %p /x || true", "cp %p /x; /usr/bin/true", "pgbackrest archive-push", "/bin/true %p", "echo %p", "cp %p /dev/null", "pgbackrest --stanza=main archive-push %p || echo failed", "pgbackrest --stanza=main archive-push %p | tee /log", "pgbackrest --stanza=main archive-push %p &", "pgbackrest --stanza=main --archive-push-queue-max=1MB archive-push %p", undefined].map((value): [ResourceRule, string, unknown] => [postgresArchiving, "archive_command", value]),
    ...["0", "-1", "soon", "14min", "1h", "1d", undefined].map((value): [ResourceRule, string, unknown] => [postgresArchiveTimeout, "archive_timeout", value]),
    ...["-1", "much", "1TB", 100_000, undefined].map((value): [ResourceRule, string, unknown] => [postgresSlotsBounded, "max_slot_wal_keep_size", value]),
    ...["off", undefined].map((value): [ResourceRule, string, unknown] => [postgresTlsOnly, "ssl", value]),
    [postgresTlsOnly, "ssl_min_protocol_version", "TLSv1.1"],
    [postgresTlsOnly, "hba_file", "/etc/postgresql/pg_hba.conf"],
    [postgresArchiving, "archive_library", "basic_archive"],
  ])("of %o is caught: %s is %j", (rule, name, value) => {
    expect(judge(rule, file({ [name]: value }))).toEqual([`violation file.${name}`]);
  });

  it.each([["# nobody else"], ["host all all all reject"], ["hostssl all all 192.0.2.1 255.255.255.255 scram-sha-256"], ["hostssl all all fd00::/8 cert clientcert=verify-full"]])("of who is let in passes: %s", (line) => {
    expect(judge(postgresTlsOnly, file({}, {}, [...pg_hba, line]))).toEqual([]);
  });

  it.each<[ResourceRule, string, unknown]>([
    [postgresArchiving, "archive_command", "/usr/bin/pgbackrest --config=/run/dr/pgbackrest.conf --stanza=main archive-push %p"],
    [postgresArchiving, "archive_mode", true],
    [postgresArchiving, "archive_mode", "always"],
    [postgresArchiveTimeout, "archive_timeout", 60],
    [postgresArchiveTimeout, "archive_timeout", "13min"],
    [postgresArchiveTimeout, "archive_timeout", "500ms"],
    [postgresSlotsBounded, "max_slot_wal_keep_size", "65536MB"],
    [postgresSlotsBounded, "max_slot_wal_keep_size", 512],
    [postgresTlsOnly, "ssl_min_protocol_version", "TLSv1.3"],
  ])("of %o passes: %s is %j", (rule, name, value) => {
    expect(judge(rule, file({ [name]: value }))).toEqual([]);
  });

  it.each([["host all all 0.0.0.0/0 scram-sha-256"], ["hostnossl all all 0.0.0.0/0 cert"], ["hostssl all all 0.0.0.0/0 trust"], ["hostssl all all 0.0.0.0/0 md5"], ["host all reject 0.0.0.0/0 trust"], ["hostssl all all 0.0.0.0 0.0.0.0 trust"], ["hostgssenc all all 0.0.0.0/0 gss"], ["include /etc/postgresql/more.conf"], ["hostssl all all all ldap"]])("of who is let in is caught: %s", (line) => {
    expect(judge(postgresTlsOnly, file({}, {}, [...pg_hba, line]))).toEqual(["violation file.postgresql.pg_hba"]);
  });
});

describe("who speaks to whom", () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["restapi.certfile", { restapi: {} }],
    ["etcd3.protocol", { etcd3: { cacert: "/ca.crt" } }],
    ["etcd3.cacert", { etcd3: { protocol: "https" } }],
    ["postgresql.authentication.replication.sslmode", { postgresql: { authentication: { superuser: account, replication: { sslmode: "require" } } } }],
  ])("is checked: %s", (path, rest) => {
    expect(judge(patroniVerified, file({}, rest))).toEqual([`violation file.${path}`]);
  });
});

describe("a member", () => {
  it("of another region founds no cluster, so needs no section for it; in the primary region it does", () => {
    expect(judge(postgresChecksums, file({}, { bootstrap: undefined, tags: { region: "us-west-2" } }))).toEqual([]);
    expect(judge(postgresChecksums, file({}, { bootstrap: undefined }))).toEqual(["violation file.bootstrap.initdb"]);
    expect(judge(postgresChecksums, file({}, { bootstrap: { initdb: [{ "data-checksums": false }] } }))).toEqual(["violation file.bootstrap.initdb"]);
    expect(judge(postgresChecksums, file({}, { bootstrap: { initdb: [{ "data-checksums": true }] } }))).toEqual([]);
  });

  it("that a drill restored archives nowhere, and is not asked to", () => {
    expect(judge(postgresArchiving, file({ archive_mode: "off", archive_command: undefined }), "dr-drill-20261122-4f2a")).toEqual([]);
    expect(judge(postgresArchiveTimeout, file({ archive_timeout: undefined }), "dr-drill-20261122-4f2a")).toEqual([]);
  });
});
