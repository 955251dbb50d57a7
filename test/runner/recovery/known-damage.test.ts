import { describe, expect, it } from "vitest";
import type { BackupRecord } from "../../../runner/catalog/record.ts";
import { knownDamage } from "../../../runner/recovery/survey.ts";
import { copyVerificationOf, verificationOf } from "../../../runner/verification.ts";
import { verificationRecord } from "../../../runner/verification-record.ts";
import { copyOk, record } from "../records.ts";

const full = { ...record("postgres", "full", "2026-11-22T02:00:00Z"), copies: [{ ...copyOk("r2"), label: "20261122-020000F" }, { ...copyOk("s3"), label: "20261122-020010F" }] };

function verified(at: string, bad: string | undefined): BackupRecord {
  const copies = ["r2", "s3"].map((backend) => copyVerificationOf(backend, [{ name: "restored", ok: backend !== bad }], backend === bad ? ["base/1/1255.zst is damaged"] : [], 5));
  return verificationRecord(`${at}-postgres-verification-0000`, full, verificationOf(full.id, "postgres", copies), { startedAt: new Date(at), finishedAt: new Date(at), expiresAt: null });
}

describe("damage that a verification has seen", () => {
  const chain = ["20261122-020000F_20261122-030000I", "20261122-020000F"];

  it("speaks against the repository that holds the damaged copy, and every backup that rests on it", () => {
    const records = [full, verified("2026-11-22T04:00:00Z", "r2")];
    expect(knownDamage(records, "r2", chain)).toEqual([expect.stringContaining("base/1/1255.zst is damaged")]);
    expect(knownDamage(records, "s3", ["20261122-020010F"])).toEqual([]);
  });

  it("does not speak against a backup that does not rest on it", () => {
    expect(knownDamage([full, verified("2026-11-22T04:00:00Z", "r2")], "r2", ["20261121-020000F"])).toEqual([]);
  });

  it("is forgotten when a later verification passes", () => {
    expect(knownDamage([full, verified("2026-11-22T04:00:00Z", "r2"), verified("2026-11-22T05:00:00Z", undefined)], "r2", chain)).toEqual([]);
  });
});
