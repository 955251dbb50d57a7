import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { writtenBackends } from "../../../plan/identity-needs.ts";
import { patroniYml } from "../../../plan/config/patroni.ts";
import { databaseFiles, etcdFiles, etcdMember, haproxyFile, patroniFile, pgbackrestFile, proxyFiles, type DatabaseFiles, type PlacedMember } from "../../../plan/config/postgres-files.ts";
import { hostPgbackrestConf } from "../../../plan/config/pgbackrest.ts";
import { postgresParameters } from "../../../plan/config/postgresql.ts";
import { secretsWanted } from "../../../plan/config/secret-template.ts";
import { postgresRoles, postgresSecret, secretsOf } from "../../../plan/secrets.ts";
import { gib } from "../../../plan/units.ts";

const member = (region: string, server: string, role: PlacedMember["role"]): PlacedMember => ({ name: `${region}-${server}`, server, region, role, host: `${server}.${region}.dr.example` });
const near = member("us-east-1", "pg-0", "primary-region");
const other = member("us-east-1", "pg-1", "primary-region");
const far = member("us-west-2", "pg-0", "secondary-region");
const [r2, s3] = writtenBackends(blackroad);
if (r2 === undefined || s3 === undefined) throw new Error("the plan has fewer than two repositories");

const input: DatabaseFiles = {
  plan: blackroad, scope: "blackroad",
  versions: { postgres: { major: 17, minor: 0 }, patroni: { major: 4, minor: 0 }, pgbackrest: { major: 2, minor: 55 } },
  members: [near, other, far], here: [near, other], etcdHosts: ["etcd-0.us-east-1.dr.example:2379"],
  repositories: [
    { backend: r2, index: 1, endpoint: "account.r2.cloudflarestorage.com", credentials: { kind: "secret-file", secret: "r2-writer" }, caFile: undefined },
    { backend: s3, index: 2, endpoint: "s3.us-west-2.amazonaws.com", credentials: { kind: "web-identity" }, caFile: undefined },
  ],
  networks: ["10.0.0.0/8"], sharedBuffers: gib(2), processMax: 4,
};

describe("the database's files", () => {
  const files = databaseFiles(input);

  it("are one of Patroni for each server here, and one of pgBackRest", () => {
    expect(Object.keys(files)).toEqual([patroniFile("pg-0"), patroniFile("pg-1"), pgbackrestFile]);
    expect(files[patroniFile("pg-1")]).toContain('name: "us-east-1-pg-1"');
    expect(files[patroniFile("pg-1")]).toContain('connect_address: "pg-1.us-east-1.dr.example:5432"');
  });

  it("hold marks where secrets belong, of secrets that the plan has", () => {
    const wanted = secretsWanted(Object.values(files));
    expect(wanted).toEqual(["patroni-rest", "pgbackrest-r2", "pgbackrest-s3", "postgres-replication", "postgres-rewind", "postgres-superuser", "r2-writer"]);
    const known = secretsOf(blackroad).map(({ name }) => name);
    for (const name of wanted) expect(known).toContain(name);
    for (const [, password] of Object.values(files).join("\n").matchAll(/(?:password: "|cipher-pass=|s3-key=|s3-key-secret=)([^"\n]*)/g)) expect(password).toMatch(/^@secret:[a-z0-9/_-]+@$/);
  });

  it("name a repository of every backend, each by its own credentials", () => {
    expect(files[pgbackrestFile]).toContain("repo1-s3-key=@secret:r2-writer/aws_access_key_id@");
    expect(files[pgbackrestFile]).toContain("repo1-s3-bucket=blackroad-backups\n");
    expect(files[pgbackrestFile]).toContain("repo2-s3-key-type=web-id");
    expect(files[pgbackrestFile]).toContain("repo2-s3-bucket=blackroad-backups-dr\n");
    expect(files[pgbackrestFile]).toContain("tls-server-auth=dr-jobs=main");
  });

  it("archive with the file that they are", () => {
    expect(files[patroniFile("pg-0")]).toContain(`archive_command: "pgbackrest --config=${hostPgbackrestConf} --stanza=main archive-push %p"`);
  });

  it("archive nothing of a restored database, and do not name a repository", () => {
    const restored = databaseFiles({ ...input, here: [near], members: [near], repositories: undefined });
    expect(Object.keys(restored)).toEqual([patroniFile("pg-0")]);
    expect(restored[patroniFile("pg-0")]).toContain('archive_mode: "off"');
    expect(restored[patroniFile("pg-0")]).not.toContain("archive_command");
  });

  it("set PostgreSQL as the drill on one machine does, but for its place and its certificates", () => {
    const parameters = (text: string) => new Map([...text.matchAll(/^ {4,}([a-z_]+): (".*")$/gm)].map(([, name, value]) => [name, value]));
    const alone = { plan: blackroad, version: 17, archiveCommand: "push", listenAddresses: ["127.0.0.1"], port: 5432, socketDirectory: "/run" };
    const drill = parameters(patroniYml({
      plan: blackroad, version: input.versions.patroni, scope: "blackroad", member: near, members: input.members, address: "127.0.0.1", restPort: 8008, postgresPort: 5432, etcdHosts: [],
      dataDirectory: "/data", binDirectory: "/bin", socketDirectory: "/run", pgpassFile: "/pgpass", parameters: postgresParameters(alone),
      superuser: { name: "postgres", password: "" }, replication: { name: "r", password: "" }, localAccounts: [], networks: [],
    }));
    const cluster = parameters(files[patroniFile("pg-0")] ?? "");
    for (const name of Object.keys(postgresParameters(alone))) {
      if (["ssl", "unix_socket_directories", "archive_command", "listen_addresses", "port"].includes(name)) continue;
      expect([name, cluster.get(name)]).toEqual([name, drill.get(name)]);
    }
  });

  it("log in as roles of the plan", () => {
    expect(files[patroniFile("pg-0")]).toContain('username: "blackroad_replication"');
    expect(postgresRoles.map(postgresSecret)).toContain("postgres-replication");
  });
});

describe("the other files", () => {
  it("of etcd hold no secret, and let in whom the certificates name", () => {
    const members = ["us-east-1", "us-west-2", "eu-west-1"].map((region) => etcdMember(`${region}-etcd-0`, `etcd-0.${region}.dr.example`));
    const [first] = members;
    if (first === undefined) throw new Error("no member");
    const [text = ""] = Object.values(etcdFiles({ plan: blackroad, version: { major: 3, minor: 5 }, member: first, members, clusterToken: "blackroad" }));
    expect(text).toContain('initial-cluster: "us-east-1-etcd-0=https://etcd-0.us-east-1.dr.example:2380,us-west-2-etcd-0=https://etcd-0.us-west-2.dr.example:2380,eu-west-1-etcd-0=');
    expect(text.match(/allowed-cn:\n {4}- "dr-etcd"\n/g)).toHaveLength(1);
    expect(secretsWanted([text])).toEqual([]);
  });

  it("of the proxy hold no secret, and name every member", () => {
    const text = proxyFiles(blackroad, "us-west-2", input.members, (server) => `${server}.pg-nodes.dr.svc.cluster.local`)[haproxyFile] ?? "";
    for (const { host, name } of input.members) expect(text).toContain(`server ${name} ${host}:5432`);
    // The far region's is not its own, and nothing else is told of it.
    expect(text.match(/\S+:8432 track/g)).toEqual(["pg-0.pg-nodes.dr.svc.cluster.local:8432 track"]);
    expect(secretsWanted([text])).toEqual([]);
  });
});
