import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { isolatedRedisConf } from "../../../plan/config/redis-isolated.ts";
import { redisAcl, redisConf, redisRoles, type RedisConfArgs } from "../../../plan/config/redis.ts";
import { sentinelConf, type SentinelConfArgs } from "../../../plan/config/sentinel.ts";
import { seconds } from "../../../plan/units.ts";

const args: RedisConfArgs = { plan: blackroad, version: "7.0.15", port: 6379, bind: ["10.0.0.1", "127.0.0.1"], dir: "/data", aclFile: "/etc/redis/users.acl" };
const lines = (text: string): string[] => text.trimEnd().split("\n");
const sha256 = "0".repeat(64);

describe("redis.conf", () => {
  it("keeps an append-only file as the plan says, and rewrites it in small steps", () => {
    expect(lines(redisConf(args))).toEqual(expect.arrayContaining(["appendonly yes", `appendfsync ${blackroad.redis.appendFsync}`, "aof-rewrite-incremental-fsync yes", "repl-diskless-sync-delay 0", "protected-mode yes", "daemonize no", "bind 10.0.0.1 127.0.0.1"]));
  });

  it("does not wait for a replica unless the plan bounds its lag", () => {
    expect(redisConf(args)).not.toContain("min-replicas");
    const bounded = { ...blackroad, redis: { ...blackroad.redis, replicaLagBound: seconds(2.5) } };
    expect(lines(redisConf({ ...args, plan: bounded }))).toEqual(expect.arrayContaining(["min-replicas-to-write 1", "min-replicas-max-lag 3"]));
  });

  it("knows its primary and can log in there", () => {
    const text = redisConf({ ...args, replicaOf: { host: "redis-0", port: 6380 }, masterAuth: { user: "replica", password: 'a "b\\' } });
    expect(lines(text)).toEqual(expect.arrayContaining(["replicaof redis-0 6380", "masteruser replica", String.raw`masterauth "a \"b\\"`]));
  });

  it("refuses what would break a line", () => {
    expect(() => redisConf({ ...args, masterAuth: { user: "replica", password: "a\nb" } })).toThrow(RangeError);
  });

  it("leaves out what an older version does not know", () => {
    expect(redisConf({ ...args, version: "6.2.7" })).not.toMatch(/appenddirname|enable-debug-command/);
    expect(redisConf({ ...args, version: "8.0.2" })).toMatch(/appenddirname/);
    expect(() => redisConf({ ...args, version: "newest" })).toThrow(RangeError);
  });

  it("of a recovered server has nothing of production: no primary, no TCP", () => {
    const text = isolatedRedisConf({ plan: blackroad, version: "7.0.15", dir: "/r", socket: "/r/s", daemon: true, pidFile: "/r/p", logFile: "/r/l" });
    expect(lines(text)).toEqual(expect.arrayContaining(["port 0", "unixsocketperm 700", "appendonly yes", "bind 127.0.0.1"]));
    expect(text).not.toMatch(/replicaof|masterauth/);
  });
});

describe("the ACL", () => {
  const users = Object.fromEntries(redisRoles.map((role) => [role, { sha256 }]));
  const ruleOf = (role: string): string => lines(redisAcl({ users })).find((line) => line.startsWith(`user ${role} `)) ?? "";

  it("switches the default user off and gives each role no more than its work needs", () => {
    expect(ruleOf("default")).toMatch(/ off /);
    expect(ruleOf("backup")).not.toMatch(/ ~|\+(set|del|unlink|restore)|\+@/);
    expect(ruleOf("backup")).toMatch(/\+sync .*\+info \+time/);
    expect(ruleOf("recovery")).toMatch(/ ~agent:\* /);
    expect(ruleOf("recovery")).not.toMatch(/\+config|\+flush|\+@/);
    expect(ruleOf("app")).toMatch(/-@dangerous/);
    expect(ruleOf("monitoring")).not.toContain("config");
  });

  it("takes hashes only, and only the roles that are asked for", () => {
    expect(lines(redisAcl({ users: { app: { sha256 } } }))).toHaveLength(2);
    expect(() => redisAcl({ users: { app: { sha256: "secret" } } })).toThrow(/app.*SHA-256/);
  });
});

describe("sentinel.conf", () => {
  const sentinel: SentinelConfArgs = { plan: blackroad, version: "7.0.15", name: "s1", port: 26379, bind: ["127.0.0.1"], dir: "/s", masters: [{ name: "main", host: "127.0.0.1", port: 6379 }], auth: { user: "sentinel", password: "p" } };

  it("asks the majority of the regions and waits as long as the plan says", () => {
    expect(lines(sentinelConf(sentinel))).toEqual(expect.arrayContaining(["sentinel monitor main 127.0.0.1 6379 2", `sentinel down-after-milliseconds main ${blackroad.redis.downAfter * 1_000}`, `sentinel failover-timeout main ${blackroad.redis.failoverTimeout * 1_000}`, "sentinel auth-user main sentinel"]));
  });

  it("resolves names before it is told to monitor one", () => {
    const text = sentinelConf({ ...sentinel, masters: [{ name: "main", host: "redis-0.redis", port: 6379 }] });
    expect(text.indexOf("resolve-hostnames")).toBeGreaterThan(0);
    expect(text.indexOf("resolve-hostnames")).toBeLessThan(text.indexOf("sentinel monitor"));
    expect(sentinelConf(sentinel)).not.toContain("resolve-hostnames");
  });
});
