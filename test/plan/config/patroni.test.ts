import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { etcdConf } from "../../../plan/config/etcd.ts";
import { patroniYml, slotName, type PatroniYml } from "../../../plan/config/patroni.ts";
import { postgresParameters, type ClusterMember } from "../../../plan/config/postgresql.ts";
import { atLeast, formatVersion, parseVersion } from "../../../plan/config/version.ts";
import { toYaml } from "../../../plan/config/yaml.ts";

const near: ClusterMember = { name: "us-east-1-a", region: "us-east-1", role: "primary-region" };
const other: ClusterMember = { name: "us-east-1-b", region: "us-east-1", role: "primary-region" };
const far: ClusterMember = { name: "us-west-2-a", region: "us-west-2", role: "secondary-region" };

const input: PatroniYml = {
  plan: blackroad, version: { major: 3, minor: 0 }, scope: "blackroad", member: near, members: [near, other, far],
  address: "127.0.0.1", restPort: 8008, postgresPort: 5432, etcdHosts: ["127.0.0.1:2379"],
  dataDirectory: "/data", binDirectory: "/bin", socketDirectory: "/run", pgpassFile: "/pgpass",
  parameters: postgresParameters({ plan: blackroad, version: 15, archiveCommand: "push", listenAddresses: ["127.0.0.1"], port: 5432, socketDirectory: "/run" }),
  superuser: { name: "postgres", password: "one: 'two' \"three\"" }, replication: { name: "replicator", password: "r" }, localAccounts: ["postgres"], networks: ["127.0.0.0/8"],
};

describe("patroni.yml", () => {
  it("takes the lease and its rhythm from the plan", () => {
    const text = patroniYml(input);
    expect(text).toContain(`ttl: ${blackroad.postgres.leaderLease}`);
    expect(text).toContain(`loop_wait: ${blackroad.postgres.loopWait}`);
    expect(text).toContain(`maximum_lag_on_failover: ${blackroad.postgres.maximumLagOnFailover}`);
  });

  it("leaves synchronous replication to each member, as Patroni's own would keep the far region from promoting", () => {
    expect(patroniYml(input)).toContain("synchronous_mode: false");
    expect(patroniYml(input)).toContain('synchronous_standby_names: "FIRST 1 (\\"us-east-1-b\\", \\"us-west-2-a\\")"');
    expect(patroniYml({ ...input, member: far })).toContain('synchronous_standby_names: ""');
  });

  it("names a slot for each member, so that Patroni keeps it while the member is away", () => {
    expect(patroniYml(input)).toMatch(/slots:\n {6}us_east_1_a:\n {8}type: "physical"\n {6}us_east_1_b:/);
    expect(slotName("US.east-1 a")).toBe("us_east_1u0032a");
  });

  it("puts where they work: cluster-wide parameters into the store, the others into the member's file", () => {
    const [before = "", after = ""] = patroniYml(input).split("\npostgresql:");
    expect(before).toContain("max_connections:");
    expect(after).not.toContain("max_connections:");
    expect(after).toContain("archive_command:");
    expect(after).not.toMatch(/^ {4}(port|listen_addresses|wal_level):/m);
  });

  it("names the start timeout as the version does", () => {
    expect(patroniYml(input)).toContain("primary_start_timeout: 0");
    expect(patroniYml({ ...input, version: { major: 2, minor: 1 } })).toContain("master_start_timeout: 0");
  });

  it("lets the primary region alone found the cluster, as the secondary's stack comes up first", () => {
    expect(patroniYml(input)).toMatch(/^bootstrap:\n {2}dcs:/m);
    expect(patroniYml({ ...input, member: far })).not.toContain("bootstrap:");
  });

  it("encrypts everything where it is given certificates, and asks for one where something could be changed", () => {
    expect(patroniYml(input)).not.toMatch(/cacert|certfile|sslmode|protocol/);
    const text = patroniYml({ ...input, listenAddress: "0.0.0.0", rewind: { name: "rewinder", password: "w" }, tls: { caFile: "/ca", certFile: "/crt", keyFile: "/key" } });
    expect(text).toContain('  listen: "0.0.0.0:8008"\n  connect_address: "127.0.0.1:8008"');
    expect(text).toContain('  certfile: "/crt"\n  keyfile: "/key"\n  cafile: "/ca"\n  verify_client: "optional"');
    expect(text).toContain('ctl:\n  cacert: "/ca"\n  certfile: "/crt"\n  keyfile: "/key"');
    expect(text).toContain('  protocol: "https"\n  cacert: "/ca"\n  cert: "/crt"\n  key: "/key"');
    expect([...text.matchAll(/sslmode: "verify-full"\n {6}sslrootcert: "\/ca"/g)]).toHaveLength(3);
    expect(text).toContain('rewind:\n      username: "rewinder"');
  });

  it("archives nothing from a restored server", () => {
    const parameters = postgresParameters({ plan: blackroad, version: 15, archiveCommand: "off", listenAddresses: [], port: 5432, socketDirectory: "/run" });
    expect(parameters).toMatchObject({ archive_mode: "off" });
    expect(parameters).not.toHaveProperty("archive_command");
  });

  it("quotes passwords", () => {
    expect(patroniYml(input)).toContain(String.raw`password: "one: 'two' \"three\""`);
  });
});

describe("etcd's configuration", () => {
  const member = (name: string, port: number) => ({ name, address: "127.0.0.1", peerPort: port, clientPort: port + 1 });
  const members = [member("a", 1), member("b", 3), member("c", 5)];

  it("names all members, and elects well within Patroni's lease", () => {
    const text = etcdConf({ plan: blackroad, member: member("a", 1), members, dataDirectory: "/d", clusterToken: "t" });
    expect(text).toContain('initial-cluster: "a=http://127.0.0.1:1,b=http://127.0.0.1:3,c=http://127.0.0.1:5"');
    expect(Number(/election-timeout: (\d+)/.exec(text)?.[1])).toBeLessThanOrEqual((blackroad.postgres.leaderLease * 1000) / 5);
    expect(text).not.toContain("transport-security");
  });

  const tls = { certFile: "/c", keyFile: "/k", caFile: "/ca", peerClient: { certFile: "/pc", keyFile: "/pk" }, allowedPeers: ["e"] };
  const secured = (minor: number) => etcdConf({ plan: blackroad, member: member("a", 1), members, dataDirectory: "/d", clusterToken: "t", listenAddress: "0.0.0.0", metricsPort: 9, tls: { ...tls, version: { major: 3, minor } } });

  it("asks for certificates where they are given, and who may be a peer; a list of clients would shut out its own gateway", () => {
    expect(secured(5)).toContain('client-transport-security:\n  cert-file: "/c"\n  key-file: "/k"\n  trusted-ca-file: "/ca"\n  client-cert-auth: true\npeer-transport-security:\n');
    expect(secured(5)).toContain('  allowed-cn:\n    - "e"\n  client-cert-file: "/pc"\n  client-key-file: "/pk"\n');
    expect(secured(5)).toContain('listen-peer-urls: "https://0.0.0.0:1"\nlisten-client-urls: "https://0.0.0.0:2"\nlisten-metrics-urls: "http://0.0.0.0:9"\ninitial-advertise-peer-urls: "https://127.0.0.1:1"');
  });

  it("does not name what an older version would ignore", () => {
    expect(secured(4)).toContain("client-cert-auth: true");
    expect(secured(4)).not.toMatch(/allowed-cn|client-cert-file/);
  });
});

describe("YAML", () => {
  it("nests maps and lists, quotes every text, and leaves out what is undefined", () => {
    expect(toYaml({ a: 1, b: "x: y", c: [1, "two", { d: true, e: [3] }], f: {}, g: [], h: undefined, on: false })).toBe('a: 1\nb: "x: y"\nc:\n  - 1\n  - "two"\n  - d: true\n    e:\n      - 3\nf: {}\ng: []\n"on": false\n');
  });
});

describe("versions", () => {
  it("are read from what tools print, and compared", () => {
    expect(parseVersion("pgBackRest 2.55.1")).toEqual({ major: 2, minor: 55 });
    expect(parseVersion("postgres (PostgreSQL) 17.2")).toEqual({ major: 17, minor: 2 });
    expect(parseVersion("none")).toBeUndefined();
    expect(atLeast({ major: 2, minor: 45 }, 2, 46)).toBe(false);
    expect(atLeast({ major: 3, minor: 0 }, 2, 46)).toBe(true);
    expect(formatVersion({ major: 2, minor: 45 })).toBe("2.45");
  });
});
