import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { days, minutes } from "../../../../plan/units.ts";
import { expiredCopies, ownFile } from "../../../../runner/stores/vault/local-copies.ts";
import { retentionOf } from "../../../../runner/stores/vault/retention.ts";

const at = (stamp: string, end = ".pgp") => `${stamp}Z-vault-snapshot-00ff${end}`;
const now = new Date("2026-11-23T12:00:00.000Z");
const limits = retentionOf(blackroad);

describe("copies of Vault's snapshots on the machine", () => {
  it("are kept for seven days, by the plan (M3)", () => {
    expect(limits).toEqual({ retentionSeconds: days(7), deadlineSeconds: minutes(4) });
    const names = [at("20261116T115959999"), at("20261116T120000000"), at("20261123T115500000")];
    expect(expiredCopies(names, now, limits)).toEqual([names[0]]);
    expect(expiredCopies(names, new Date(now.getTime() + 1), limits)).toEqual([names[0], names[1]]);
  });

  it("never lose the newest, however old it is", () => {
    const names = [at("20251123T120000000"), at("20251124T120000000")];
    expect(expiredCopies(names, now, limits)).toEqual([names[0]]);
  });

  it("are told from everybody else's files", () => {
    const foreign = ["notes.txt", "20251116T115959999Z-vault-snapshot-00ff.pgp.bak", "20251116T115959999Z-redis-snapshot-00ff.pgp", "x20251116T115959999Z-vault-snapshot-00ff.pgp", ".20251116T115959999Z-vault-snapshot-00ff.pgp", "20251116T115959999Z-vault-snapshot-00ff.pgp.part", "..", "20251116T115959999Z-vault-snapshot-00ff.pgp/x"];
    expect(expiredCopies([...foreign, at("20261123T115500000")], now, limits)).toEqual([]);
    expect(foreign.filter((name) => ownFile(name) !== undefined)).toEqual([]);
  });

  it("that a killed run left unfinished go, those of a run that may still be at it stay", () => {
    const names = [`.${at("20261123T115300000", ".pgp.part")}`, `.${at("20261123T114500000", ".pgp.part")}`, at("20261123T115000000")];
    expect(expiredCopies(names, now, limits)).toEqual([names[1]]);
  });
});
