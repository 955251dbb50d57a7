import { blackroad } from "../../plan/blackroad.ts";
import { parseConfig } from "../../runner/config.ts";
import { Catalog } from "../../runner/catalog/catalog.ts";
import { expire } from "../../runner/retention/expire.ts";
import type { StorageBackend } from "../../runner/storage/backend.ts";
import { openBackends } from "../../runner/storage/open.ts";

/** Kills this process, as the machine would, when `after` objects have been removed. */
function mortal(backends: readonly StorageBackend[], after: number): StorageBackend[] {
  let removed = 0;
  return backends.map((backend) => {
    const remove = async (keys: readonly string[]): Promise<void> => {
      for (const key of keys) {
        if (removed >= after) process.kill(process.pid, "SIGKILL");
        await backend.remove([key]);
        if (!key.startsWith("leases/")) removed += 1;
      }
    };
    return new Proxy(backend, {
      get(target, name) {
        if (name === "remove") return remove;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  });
}

/** An expiry in a process of its own, at a given time, which ends after so many removals. */
export async function expireOnce(config: string, now: string, after: number): Promise<void> {
  const parsed = parseConfig(JSON.parse(config), "test");
  const clock = { now: () => new Date(now) };
  const backends = mortal(await openBackends(parsed), after);
  await expire({ config: parsed, plan: blackroad, backends, catalog: new Catalog(backends, clock), clock, passphrase: () => Promise.resolve(""), signal: new AbortController().signal, report: () => undefined });
}
