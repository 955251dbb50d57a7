import { describe, expect, it } from "vitest";
import { makeLayout, portsOfLayout } from "../../../drill/environments/local/layout.ts";
import { makeSecrets } from "../../../drill/environments/local/secrets.ts";
import { together } from "../../../drill/environments/local/together.ts";

const ports = Array.from({ length: portsOfLayout }, (_, index) => 20_000 + index);

describe("the layout of a drill", () => {
  const layout = makeLayout("drill-x", "/tmp/drill-x", ports);

  it("gives every server a port of its own", () => {
    const used = [
      ...layout.etcd.flatMap(({ clientPort, peerPort }) => [clientPort, peerPort]),
      ...layout.members.flatMap(({ postgresPort, restPort }) => [postgresPort, restPort]),
      ...layout.redis.map(({ port }) => port),
      ...layout.sentinels.map(({ port }) => port),
      layout.stores.r2.port, layout.stores.s3.port, layout.recovery.postgresPort, layout.recovery.redisPort,
    ];
    expect(used.sort()).toEqual(ports);
  });

  it("keeps what must survive a region outside all of them", () => {
    for (const place of [layout.stores.r2.folder, layout.stores.s3.folder, layout.workload, layout.logs, layout.secrets, layout.recovery.folder, layout.isolation, layout.tls]) {
      for (const region of Object.values(layout.regions)) expect(`${place}/`.startsWith(`${region}/`)).toBe(false);
    }
  });

  it("keeps a region's servers inside it, so that its deletion takes them all", () => {
    for (const { folder, region } of [...layout.etcd, ...layout.members, ...layout.redis, ...layout.sentinels]) expect(folder.startsWith(`${layout.regions[region]}/`)).toBe(true);
  });

  it("refuses a root in which sockets would have names that are too long, and too few ports", () => {
    expect(() => makeLayout("x", `/${"d".repeat(60)}`, ports)).toThrow("Unix sockets in it would have names over 107");
    expect(() => makeLayout("x", "/tmp/x", ports.slice(1))).toThrow(`a layout needs ${portsOfLayout} ports`);
  });
});

describe("the secrets of a drill", () => {
  it("are all different, and new for each drill", () => {
    const all = [makeSecrets(), makeSecrets()].flatMap(({ cipher, redis, ...plain }) => [...Object.values(cipher), ...Object.values(redis), ...Object.values(plain)]);
    expect(new Set(all).size).toBe(all.length);
    for (const secret of all) expect(secret).toMatch(/^[\w-]{32}$/);
  });
});

describe("works that are waited for together", () => {
  it("have all ended when the first failure is thrown, and were told to stop", async () => {
    const stopping = new AbortController();
    let ended = false;
    const slow = new Promise<void>((_, reject) => {
      stopping.signal.addEventListener("abort", () => {
        ended = true;
        reject(new Error("stopped"));
      });
    });
    await expect(together([slow, Promise.reject(new Error("the first"))], () => stopping.abort())).rejects.toThrow("the first");
    expect(ended).toBe(true);
  });

  it("end well where all do", async () => {
    await expect(together([Promise.resolve(1), Promise.resolve("two")])).resolves.toBeUndefined();
  });
});
