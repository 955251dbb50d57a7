import { describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { backendOf } from "../../plan/find.ts";
import { prefixesOf } from "../../plan/layout.ts";
import type { BackendName } from "../../plan/types.ts";

const prefixes = (name: BackendName) => {
  const backend = backendOf(blackroad, name);
  if (backend === undefined) throw new Error(`no ${name}`);
  return prefixesOf(blackroad, backend);
};
const lockedIn = (name: BackendName, key: string): boolean => prefixes(name).some(({ prefix, lock }) => lock > 0 && key.startsWith(prefix));

describe("the layout of a bucket", () => {
  it.each(["15-1", "17-1", "17-2", "18-1", "20-1"])("locks WAL under %s, whatever PostgreSQL was upgraded to", (archive) => {
    expect(lockedIn("r2", `pgbackrest/archive/main/${archive}/0000000100000000/000000010000000000000001-0.zst`)).toBe(true);
  });

  it.each(["archive/main/archive.info", "archive/main/archive.info.copy", "backup/main/backup.info", "backup/main/20261122-020000F/backup.manifest.copy"])("does not lock %s, which pgBackRest writes again", (file) => {
    expect(lockedIn("r2", `pgbackrest/${file}`)).toBe(false);
  });

  it.each(["r2", "s3"] as const)("has no prefix inside another in %s", (name) => {
    const all = prefixes(name).map(({ prefix }) => prefix);
    for (const one of all) expect(all.filter((other) => other.startsWith(one)), one).toEqual([one]);
  });
});
