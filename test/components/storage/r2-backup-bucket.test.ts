import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { R2BackupBucket, type R2BackupBucketArgs } from "../../../components/storage/r2-backup-bucket.ts";
import { groupId } from "../../../components/storage/r2-token.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { days, hours } from "../../../plan/units.ts";
import { isSecret, read } from "../../harness/outputs.ts";
import { declare, type DeclareOptions } from "../../harness/pulumi.ts";

const accountId = "0123456789abcdef0123456789abcdef";
const current = { label: "2026-11", expiresOn: "2027-02-28T00:00:00Z" };
const args: R2BackupBucketArgs = { plan: blackroad, accountId, backend: "r2", tokens: { current }, lifetime: "kept" };

const cloudflare: DeclareOptions = {
  call: (token) =>
    token.includes("PermissionGroups")
      ? { results: [{ id: "id-of-write", name: "Workers R2 Storage Bucket Item Write" }, { id: "id-of-read", name: "Workers R2 Storage Bucket Item Read" }, { id: "id-of-admin", name: "Workers R2 Storage Write" }] }
      : undefined,
  computed: (type, name) => (type === "cloudflare:index/accountToken:AccountToken" ? { value: `value-of-${name}` } : undefined),
};
const declared = (changes: Partial<R2BackupBucketArgs> = {}) => declare(() => new R2BackupBucket("r2", { ...args, ...changes }), cloudflare);
const lockType = "cloudflare:index/r2BucketLock:R2BucketLock";
const tokenType = "cloudflare:index/accountToken:AccountToken";

interface Rule {
  readonly id: string;
  readonly prefix: string;
  readonly condition: { readonly type: string; readonly maxAgeSeconds?: number };
}
interface Expiry {
  readonly conditions: { readonly prefix: string };
  readonly deleteObjectsTransition?: { readonly condition: { readonly maxAge: number } };
  readonly abortMultipartUploadsTransition?: { readonly condition: { readonly maxAge: number } };
}
const locksOf = async (changes: Partial<R2BackupBucketArgs> = {}) => (await declared(changes)).one(lockType).inputs["rules"] as Rule[];
const expiriesOf = async () => (await declared()).one("cloudflare:index/r2BucketLifecycle:R2BucketLifecycle").inputs["rules"] as Expiry[];

describe("the bucket at Cloudflare", () => {
  it("is named by the plan, protected and retained, and a hint that drifts does not replace it", async () => {
    expect((await declared()).one("cloudflare:index/r2Bucket:R2Bucket")).toMatchObject({
      inputs: { accountId, name: "blackroad-backups", location: "weur", jurisdiction: "default" },
      protect: true, retainOnDelete: true, ignoreChanges: ["location"], importId: "",
    });
  });

  it("is taken over where the state was lost, and only when told so", async () => {
    expect((await declared({ adopt: true })).one("cloudflare:index/r2Bucket:R2Bucket").importId).toBe(`${accountId}/blackroad-backups/default`);
  });

  it("has no public domain", async () => {
    expect((await declared()).one("cloudflare:index/r2ManagedDomain:R2ManagedDomain").inputs).toMatchObject({ bucketName: "blackroad-backups", enabled: false });
  });

  it("is protected, retained and locked in no drill", async () => {
    const ephemeral = await declared({ lifetime: "ephemeral" });
    expect(ephemeral.of(lockType)).toEqual([]);
    expect(ephemeral.all.filter(({ protect, retainOnDelete }) => protect || retainOnDelete)).toEqual([]);
  });

  it("is reached at its jurisdiction's own endpoint", async () => {
    const inEurope = await declared({ jurisdiction: "eu" });
    expect(inEurope.outputs.endpoint).toBe(`https://${accountId}.eu.r2.cloudflarestorage.com`);
    expect(inEurope.one(tokenType, "r2-reader-2026-11").inputs["policies"]).toMatchObject([{ resources: `{"com.cloudflare.edge.r2.bucket.${accountId}_eu_blackroad-backups":"*"}` }]);
  });

  it("tells policies what it keeps", async () => {
    expect((await declared()).one("blackroad:storage:R2BackupBucket").outputs).toMatchObject({ backend: "r2", continent: "europe", immutableFor: days(7), tokensExpireOn: current.expiresOn });
  });
});

describe("what is locked", () => {
  it("is every prefix that is written once, for the plan's time, in seconds", async () => {
    const locks = Object.fromEntries((await locksOf()).map(({ prefix, condition }) => [prefix, condition.maxAgeSeconds]));
    expect(locks).toMatchObject({ "catalog/": days(7), "redis/": hours(24), "vault/": days(7), "pgbackrest/archive/main/1": days(7), "configuration/": days(7) });
  });

  it("is nothing that pgBackRest or a mirror rewrites", async () => {
    const prefixes = (await locksOf()).map(({ prefix }) => prefix);
    expect(prefixes).not.toContain("pgbackrest/backup/main/");
    expect(prefixes).not.toContain("objects/");
    expect(prefixes).not.toContain("");
  });

  it("is the escrow, for ever", async () => {
    expect((await locksOf()).find(({ prefix }) => prefix === "escrow/")?.condition).toEqual({ type: "Indefinite" });
  });

  it("stays locked while other rules take the place of these", async () => {
    expect((await declared()).one(lockType)).toMatchObject({ protect: false, retainOnDelete: true });
  });
});

describe("what is expired", () => {
  it("is expired when neither its lock nor its retention holds it", async () => {
    const ages = Object.fromEntries((await expiriesOf()).map(({ conditions, deleteObjectsTransition }) => [conditions.prefix, deleteObjectsTransition?.condition.maxAge]));
    expect(ages).toMatchObject({ "redis/": days(90), "logs/": days(30), "agents/": hours(24) });
    const locks = await locksOf();
    for (const { prefix, condition } of locks) if (ages[prefix] !== undefined) expect(ages[prefix]).toBeGreaterThanOrEqual(condition.maxAgeSeconds ?? Infinity);
  });

  it("is none of pgBackRest's files, nothing that is kept for ever, no mirror, no escrow", async () => {
    const prefixes = (await expiriesOf()).filter(({ deleteObjectsTransition }) => deleteObjectsTransition !== undefined).map(({ conditions }) => conditions.prefix);
    for (const kept of ["pgbackrest/", "catalog/", "configuration/", "objects/", "escrow/"]) expect(prefixes.filter((prefix) => prefix.startsWith(kept) || kept.startsWith(prefix))).toEqual([]);
  });

  it("is an upload that no run can still be working on", async () => {
    const abort = (await expiriesOf()).find(({ abortMultipartUploadsTransition }) => abortMultipartUploadsTransition !== undefined);
    expect(abort).toMatchObject({ conditions: { prefix: "" }, abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: days(1) } } });
  });
});

describe("the tokens", () => {
  it("open this bucket alone, to write or to read, until they expire", async () => {
    const bucket = await declared();
    const resources = JSON.stringify({ [`com.cloudflare.edge.r2.bucket.${accountId}_default_blackroad-backups`]: "*" });
    expect(bucket.one(tokenType, "r2-writer-2026-11").inputs).toMatchObject({ name: "blackroad-backups-writer-2026-11", expiresOn: current.expiresOn, policies: [{ effect: "allow", permissionGroups: [{ id: "id-of-write" }], resources }] });
    expect(bucket.one(tokenType, "r2-reader-2026-11").inputs).toMatchObject({ policies: [{ permissionGroups: [{ id: "id-of-read" }], resources }] });
    expect(bucket.of(tokenType)).toHaveLength(2);
  });

  it("overlap: the previous generation works until it is taken out of the configuration", async () => {
    const bucket = await declared({ tokens: { current, previous: { label: "2026-08", expiresOn: "2026-12-31T00:00:00Z" } } });
    expect(bucket.of(tokenType).map(({ name }) => name).toSorted()).toEqual(["r2-reader-2026-08", "r2-reader-2026-11", "r2-writer-2026-08", "r2-writer-2026-11"]);
    expect(await read(bucket.outputs.writer.accessKeyId)).toBe("r2-writer-2026-11-id");
  });

  it("are given as secrets, in AWS's shared credentials format: the id, and the SHA-256 of the value", async () => {
    const { outputs } = await declared();
    const key = createHash("sha256").update("value-of-r2-writer-2026-11").digest("hex");
    expect(await read(outputs.writer.file)).toBe(`[default]\naws_access_key_id = r2-writer-2026-11-id\naws_secret_access_key = ${key}\nexpires_at = ${current.expiresOn}\n`);
    for (const secret of [outputs.writer.file, outputs.writer.secretAccessKey, outputs.writer.accessKeyId, outputs.reader.file]) expect(await isSecret(secret)).toBe(true);
  });

  it("are not made where Cloudflare has no such permission, and the error says what to look at", () => {
    expect(() => groupId([{ id: "1", name: "DNS Write" }], "writer")).toThrow('no permission group "Workers R2 Storage Bucket Item Write": is R2 enabled');
  });
});

describe("what is refused", () => {
  const refusal = (changes: Partial<R2BackupBucketArgs>): string => {
    try {
      new R2BackupBucket("r2", { ...args, ...changes });
    } catch (error) {
      return String(error);
    }
    return "";
  };

  it("is a backend that is not R2", () => {
    expect(refusal({ backend: "s3" })).toContain("backend: s3 is of kind s3, not r2");
  });
  it("is a backend that the plan has not", () => {
    expect(refusal({ plan: { ...blackroad, backends: [] } })).toContain('backend: the plan has no backend "r2"');
  });
  it("is an account that is none", () => {
    expect(refusal({ accountId: "blackroad" })).toContain('accountId: "blackroad" is not 32 hexadecimal digits');
  });
  it("is an expiry that is not a time", () => {
    for (const expiresOn of ["soon", "2027-02-30T00:00:00Z", "2027-02-28", "2027-02-28T00:00:00+01:00"]) expect(refusal({ tokens: { current: { label: "a", expiresOn } } })).toContain("tokens.current.expiresOn");
  });
  it("is a generation that cannot be told from the one before it, or that goes first", () => {
    expect(refusal({ tokens: { current, previous: current } })).toContain('tokens: current and previous have the label "2026-11"');
    expect(refusal({ tokens: { current, previous: { label: "2026-08", expiresOn: "2028-01-01T00:00:00Z" } } })).toContain("not before current");
    expect(refusal({ tokens: { current: { ...current, label: "Nov 2026" } } })).toContain("tokens.current.label");
  });
  it("is a place on another continent than the plan counts on", () => {
    expect(refusal({ locationHint: "enam" })).toContain("locationHint: enam lies in north-america");
    expect(refusal({ jurisdiction: "us" })).toContain("jurisdiction: us lies in north-america");
  });
  it("is a lock that outlasts the retention", () => {
    const plan = { ...blackroad, backends: blackroad.backends.map((backend) => ({ ...backend, immutableFor: days(120) })) };
    expect(refusal({ plan })).toContain("pgbackrest/archive/main/1 is locked for 120 d, longer than the 90 d that it is kept");
  });
  it("comes all at once", () => {
    expect(refusal({ accountId: "", backend: "s3", tokens: { current: { label: "", expiresOn: "" } } }).match(/^ {2}/gm)).toHaveLength(4);
  });
});
