import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { haproxyCfg, type HaproxyCfg, type ProxiedMember } from "../../../plan/config/haproxy.ts";

const member = (name: string, region: string): ProxiedMember => ({ name, region, host: `${name}.example`, postgresPort: 5432, restPort: 8008, pgbackrestPort: 8432 });
const input: HaproxyCfg = {
  plan: blackroad, region: "us-east-1", members: [member("a1", "us-east-1"), member("a2", "us-east-1"), member("b1", "us-west-2")],
  ports: { writer: 5432, reader: 5433, local: 5434, pgbackrest: 8432, health: 8443, metrics: 8405 }, caFile: "/ca.crt", certificateFile: "/tls.crt",
};
/** `section` → its lines. */
const sections = (text: string): ReadonlyMap<string, readonly string[]> =>
  new Map(text.split(/\n(?=\S)/).map((block) => {
    const [head = "", ...lines] = block.split("\n");
    return [head, lines.map((line) => line.trim()).filter((line) => line !== "")];
  }));
const servers = (text: string, backend: string) => sections(text).get(`backend ${backend}`)?.filter((line) => line.startsWith("server ")) ?? [];

describe("haproxy.cfg", () => {
  const text = haproxyCfg(input);

  it("asks Patroni for its health paths and for nothing else: the interface can also switch over", () => {
    expect([...text.matchAll(/uri (\S+)/g)].map(([, path]) => path)).toEqual(["/primary", "/replica?lag=16MB", "/health"]);
    expect(text).not.toContain(":8008\n");
    for (const line of servers(text, "leader")) expect(line).toMatch(/check port 8008 check-ssl verify required ca-file \/ca.crt verifyhost (\S+) check-sni \1 /);
  });

  it("sends writers to the leader wherever it is, and cuts them off when it leads no more", () => {
    expect(servers(text, "leader").map((line) => line.split(" ")[1])).toEqual(["a1", "a2", "b1"]);
    for (const line of servers(text, "leader")) expect(line).toMatch(/on-marked-down shutdown-sessions$/);
    expect(sections(text).get("backend leader")).toContain('http-check expect rstring "\\"role\\": ?\\"(master|primary)\\""');
  });

  it("sends readers to the region's own replicas first, and not to one that is too far behind", () => {
    expect(servers(text, "replicas").filter((line) => line.endsWith(" backup")).map((line) => line.split(" ")[1])).toEqual(["b1"]);
    expect(servers(haproxyCfg({ ...input, region: "us-west-2" }), "replicas").filter((line) => line.endsWith(" backup")).map((line) => line.split(" ")[1])).toEqual(["a1", "a2"]);
  });

  it("keeps a member's address through the loss of DNS, and follows a new one", () => {
    expect(sections(text).get("resolvers system")).toEqual(["parse-resolv-conf", "resolve_retries 2", "timeout resolve 1s", "timeout retry 1s", "hold valid 10s", "hold nx 24h", "hold timeout 24h", "hold refused 24h", "hold other 24h"]);
    expect(sections(text).get("defaults")?.at(-1)).toMatch(/^default-server .* init-addr last,libc,none resolvers system$/);
    expect(haproxyCfg({ ...input, followNames: false })).not.toMatch(/default-server .* resolvers/);
  });

  it("answers the jobs with this region's servers alone, and pgBackRest with the leader's", () => {
    for (const backend of ["local_leader", "local_members", "local_pgbackrest"]) expect(servers(text, backend).map((line) => line.split(" ")[1])).toEqual(["a1", "a2"]);
    expect(servers(text, "local_pgbackrest")[0]).toBe("server a1 a1.example:8432 track leader/a1 on-marked-down shutdown-sessions");
    expect(sections(text).get("frontend local")).toEqual(["bind :5434", "use_backend local_leader if { nbsrv(local_leader) gt 0 }", "default_backend local_members"]);
  });

  it("tells DNS failover by HTTPS whether this region has the writable leader", () => {
    expect(sections(text).get("frontend health")).toEqual([
      "mode http",
      "bind :8443 ssl crt /tls.crt ssl-min-ver TLSv1.2 alpn http/1.1",
      'http-request return status 200 content-type text/plain string "writable" if { path /healthz/writable } { nbsrv(local_leader) gt 0 }',
      'http-request return status 503 content-type text/plain string "the leader is not in us-east-1" if { path /healthz/writable }',
      "http-request return status 404",
    ]);
  });
});
