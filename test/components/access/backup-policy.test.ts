import { describe, expect, it } from "vitest";
import { backupPolicy } from "../../../components/access/backup-policy.ts";
import type { PolicyDocument, Statement } from "../../../components/aws/policy-document.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { identities, type IdentityName } from "../../../plan/identities.ts";
import type { Plan } from "../../../plan/types.ts";
import { account, decide, documentProblems, roleOf } from "../../harness/iam.ts";

const archiveAccount = "444455556666";
const policyOf = (name: IdentityName, plan: Plan = blackroad): PolicyDocument => {
  const identity = identities.find((one) => one.name === name);
  if (identity === undefined) throw new Error(`no identity ${name}`);
  return backupPolicy({ plan, identity, accountId: account, archiveAccountId: archiveAccount });
};
const s3Archive: Plan = { ...blackroad, backends: blackroad.backends.map((backend) => (backend.kind === "glacier-vault" ? { ...backend, kind: "s3-glacier" } : backend)) };

const bucket = "arn:aws:s3:::blackroad-backups-dr";
const vault = `arn:aws:glacier:eu-west-1:${archiveAccount}:vaults/blackroad-archive`;
const key = `arn:aws:kms:us-west-2:${account}:key/mrk-0123456789abcdef0123456789abcdef`;

/** The answer to a role's request where its own policy alone decides: the resource belongs to its account and says nothing. */
const ask = async (name: IdentityName, action: string, resource: string, more: { readonly plan?: Plan; readonly context?: Record<string, string | string[]> } = {}): Promise<"yes" | "no"> => {
  const owner = resource === vault ? archiveAccount : account;
  const answer = await decide({ principal: roleOf(`blackroad-dr-${name}-us-east-1`, owner), action, resource, owner, identity: policyOf(name, more.plan), ...(more.context === undefined ? {} : { context: more.context }) });
  return answer === "Allowed" ? "yes" : "no";
};
/** KMS asks the key's policy as well, which leaves it to IAM. */
const askKey = async (name: IdentityName, action: string, alias = "alias/blackroad-backups", via = "s3.us-west-2.amazonaws.com"): Promise<"yes" | "no"> => {
  const keyPolicy: PolicyDocument = { Version: "2012-10-17", Statement: [{ Sid: "Iam", Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "kms:*", Resource: "*" }] };
  const context = { "kms:ResourceAliases": [alias], "kms:ViaService": via };
  return (await decide({ principal: roleOf("any"), action, resource: key, identity: policyOf(name), policy: keyPolicy, context })) === "Allowed" ? "yes" : "no";
};

const writers = identities.filter(({ access }) => access === "writer").map(({ name }) => name);
const names = identities.map(({ name }) => name);

describe("every identity's policy", () => {
  /** One that the statement itself names, of the kind that the action is about; of a denial, any. */
  const resourceFor = ({ Effect, Resource = [] }: Statement, action: string): string => {
    if (Effect === "Allow") return [Resource].flat()[0]?.replace("kms:*:", "kms:us-west-2:").replaceAll("*", "any") ?? "";
    if (action.startsWith("kms:")) return key;
    if (action.startsWith("glacier:")) return vault;
    if (action.startsWith("secretsmanager:")) return `arn:aws:secretsmanager:us-west-2:${account}:secret:blackroad/any-abcdef`;
    if (action.startsWith("iam:")) return action === "iam:CreateAccessKey" ? `arn:aws:iam::${account}:user/any` : roleOf("any");
    return /^s3:(?:Put(?:Bucket|Encryption|Lifecycle|Replication)|DeleteBucket)/.test(action) ? bucket : `${bucket}/any`;
  };
  const problemsOf = async (policy: PolicyDocument): Promise<readonly string[]> =>
    (await Promise.all(policy.Statement.map((statement) => documentProblems({ ...policy, Statement: [statement] }, "identity", (action) => resourceFor(statement, action))))).flat();

  it.each(names)("is one that AWS takes: %s", async (name) => {
    for (const plan of [blackroad, s3Archive]) {
      const policy = policyOf(name, plan);
      expect(await problemsOf(policy)).toEqual([]);
      expect(JSON.stringify(policy).length).toBeLessThan(10_240);
      expect(policy.Statement.filter(({ Effect }) => Effect === "Allow").flatMap(({ Action }) => Action).filter((action) => action.includes("*"))).toEqual([]);
    }
  });
});

describe("stolen writer credentials", () => {
  const objects = ["redis/2026/x", "pgbackrest/archive/main/15-1/0000000100000000/x", "pgbackrest/backup/main/x", "catalog/x"];

  it.each(writers)("take no version away, and shorten no lock: %s", async (name) => {
    for (const object of objects) {
      for (const action of ["s3:DeleteObjectVersion", "s3:PutObjectRetention", "s3:PutObjectLegalHold", "s3:BypassGovernanceRetention"]) {
        expect([action, object, await ask(name, action, `${bucket}/${object}`)]).toEqual([action, object, "no"]);
      }
    }
  });

  it.each(writers)("change nothing of a bucket's settings: %s", async (name) => {
    for (const action of ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutLifecycleConfiguration", "s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration", "s3:PutReplicationConfiguration", "s3:DeleteBucket"]) {
      expect([action, await ask(name, action, bucket)]).toEqual([action, "no"]);
    }
  });

  it.each(writers)("neither destroy the key nor hand it on: %s", async (name) => {
    for (const action of ["kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy", "kms:CreateGrant"]) expect([action, await askKey(name, action)]).toEqual([action, "no"]);
  });

  it.each(writers)("delete nothing from the archive: %s", async (name) => {
    expect(await ask(name, "glacier:DeleteArchive", vault)).toBe("no");
    expect(await ask(name, "glacier:DeleteVault", vault)).toBe("no");
  });

  it("stay harmless when somebody attaches all of S3 to the role", async () => {
    const everything = { Sid: "Attached", Effect: "Allow", Action: "s3:*", Resource: "*" } as const;
    const policy = policyOf("redis");
    const identity = { ...policy, Statement: [...policy.Statement, everything] };
    const answer = (action: string) => decide({ principal: roleOf("any"), action, resource: `${bucket}/redis/x`, identity });
    expect(await answer("s3:DeleteObjectVersion")).toBe("ExplicitlyDenied");
    expect(await answer("s3:BypassGovernanceRetention")).toBe("ExplicitlyDenied");
    expect(await answer("s3:DeleteObject")).toBe("ExplicitlyDenied");
    expect(await answer("s3:GetObject")).toBe("Allowed");
  });

  it("read and write the prefixes of their own job and the catalog, no other's", async () => {
    for (const action of ["s3:GetObject", "s3:PutObject"]) {
      expect(await ask("redis", action, `${bucket}/redis/2026/x`)).toBe("yes");
      expect(await ask("redis", action, `${bucket}-short/redis/2026/x`)).toBe("yes");
      expect(await ask("redis", action, `${bucket}/catalog/x`)).toBe("yes");
      for (const other of ["vault/x", "pgbackrest/backup/main/x", "redis-other/x", "escrow/x", "x"]) expect([other, await ask("redis", action, `${bucket}/${other}`)]).toEqual([other, "no"]);
    }
    expect(await ask("redis", "s3:GetObject", "arn:aws:s3:::blackroad-pulumi-state/redis/x")).toBe("no");
  });
});

describe("pgBackRest", () => {
  it.each(["postgres", "all"] as const)("deletes in its own repository, which leaves the versions: %s", async (name) => {
    expect(await ask(name, "s3:DeleteObject", `${bucket}/pgbackrest/backup/main/x`)).toBe("yes");
    expect(await ask(name, "s3:PutObject", `${bucket}/pgbackrest/archive/main/archive.info`)).toBe("yes");
    expect(await ask(name, "s3:GetObject", `${bucket}/leases/x`)).toBe("yes");
    for (const other of ["escrow/x", "x"]) expect(await ask(name, "s3:DeleteObject", `${bucket}/${other}`)).toBe("no");
  });

  it("alone deletes nothing of anybody else's", async () => {
    for (const other of ["catalog/x", "redis/x", "vault/x", "leases/x"]) expect(await ask("postgres", "s3:DeleteObject", `${bucket}/${other}`)).toBe("no");
  });

  it("and the daily run are the only ones that delete at all", async () => {
    for (const name of names.filter((one) => one !== "postgres" && one !== "all")) expect([name, await ask(name, "s3:DeleteObject", `${bucket}/pgbackrest/backup/main/x`), await ask(name, "s3:DeleteObject", `${bucket}/redis/x`)]).toEqual([name, "no", "no"]);
  });

  it("is told 404 of what is missing, as it may list the bucket without a prefix", async () => {
    expect(await ask("postgres", "s3:ListBucket", bucket)).toBe("yes");
  });
});

describe("the daily run of the whole system", () => {
  it("expires what every job wrote, which leaves the versions, and never the escrow", async () => {
    for (const prefix of ["catalog", "redis", "vault", "agents", "logs", "metrics", "configuration", "leases"]) expect([prefix, await ask("all", "s3:DeleteObject", `${bucket}/${prefix}/x`)]).toEqual([prefix, "yes"]);
    expect(await ask("all", "s3:DeleteObject", `${bucket}-short/agents/x`)).toBe("yes");
    expect(await ask("all", "s3:DeleteObject", `${bucket}/escrow/x`)).toBe("no");
    expect(await ask("all", "s3:DeleteObjectVersion", `${bucket}/redis/x`)).toBe("no");
  });

  it("writes what every store's own job writes, but logs and the archive", async () => {
    for (const prefix of ["redis", "vault", "vectors", "objects", "agents", "metrics", "configuration", "pgbackrest", "catalog"]) expect([prefix, await ask("all", "s3:PutObject", `${bucket}/${prefix}/x`)]).toEqual([prefix, "yes"]);
    expect(await ask("all", "s3:PutObject", `${bucket}/logs/x`)).toBe("no");
    expect(await ask("all", "glacier:UploadArchive", vault)).toBe("no");
  });
});

describe("readers and restorers", () => {
  it.each(["verify", "restore", "exporter"] as const)("read every prefix, older versions, and the copy in the other region: %s", async (name) => {
    for (const object of [`${bucket}/redis/x`, `${bucket}-short/agents/x`, `${bucket}-replica/pgbackrest/backup/main/x`]) {
      expect(await ask(name, "s3:GetObject", object)).toBe("yes");
      expect(await ask(name, "s3:GetObjectVersion", object)).toBe("yes");
    }
    expect(await ask(name, "s3:ListBucketVersions", `${bucket}-replica`)).toBe("yes");
  });

  it("write nothing, but the verification its record", async () => {
    for (const name of ["verify", "restore", "exporter"] as const) expect(await ask(name, "s3:PutObject", `${bucket}/redis/x`)).toBe("no");
    expect(await ask("restore", "s3:PutObject", `${bucket}/catalog/x`)).toBe("no");
    expect(await ask("verify", "s3:PutObject", `${bucket}/catalog/x`)).toBe("yes");
    expect(await ask("verify", "s3:PutObject", `${bucket}-replica/catalog/x`)).toBe("no");
  });

  it("get out of the archive what is in it", async () => {
    expect(await ask("restore", "glacier:InitiateJob", vault)).toBe("yes");
    expect(await ask("restore", "glacier:UploadArchive", vault)).toBe("no");
    expect(await ask("restore", "s3:RestoreObject", "arn:aws:s3:::blackroad-archive/x", { plan: s3Archive })).toBe("yes");
  });
});

describe("the archive's writer", () => {
  it("reads every backup and writes to the archive alone", async () => {
    expect(await ask("archive", "s3:GetObject", `${bucket}/vault/x`)).toBe("yes");
    expect(await ask("archive", "s3:PutObject", `${bucket}/vault/x`)).toBe("no");
    expect(await ask("archive", "s3:PutObject", `${bucket}/catalog/x`)).toBe("yes");
    for (const action of ["glacier:UploadArchive", "glacier:InitiateMultipartUpload", "glacier:CompleteMultipartUpload"]) expect([action, await ask("archive", action, vault)]).toEqual([action, "yes"]);
    expect(await ask("archive", "glacier:UploadArchive", `arn:aws:glacier:eu-west-1:${account}:vaults/blackroad-archive`)).toBe("no");
  });

  it("writes to a bucket where the archive is one", async () => {
    expect(await ask("archive", "s3:PutObject", "arn:aws:s3:::blackroad-archive/x", { plan: s3Archive })).toBe("yes");
    expect(await ask("redis", "s3:PutObject", "arn:aws:s3:::blackroad-archive/x", { plan: s3Archive })).toBe("no");
  });
});

describe("the key", () => {
  it("is used by its alias and through S3 alone", async () => {
    for (const action of ["kms:GenerateDataKey", "kms:Decrypt"]) {
      expect(await askKey("redis", action)).toBe("yes");
      expect(await askKey("redis", action, "alias/blackroad-vault-seal")).toBe("no");
      expect(await askKey("redis", action, "alias/blackroad-backups", "secretsmanager.us-west-2.amazonaws.com")).toBe("no");
    }
  });

  it("encrypts for whoever writes and decrypts for whoever reads", async () => {
    expect([await askKey("restore", "kms:Decrypt"), await askKey("restore", "kms:GenerateDataKey")]).toEqual(["yes", "no"]);
    expect(await askKey("verify", "kms:GenerateDataKey")).toBe("yes");
    for (const name of names) expect([name, await askKey(name, "kms:Decrypt", "alias/blackroad-vault-seal", "")]).toEqual([name, name === "verify" || name === "restore" ? "yes" : "no"]);
    expect(await askKey("restore", "kms:Decrypt", "alias/blackroad-backups", "s3.eu-west-1.amazonaws.com")).toBe("yes");
    expect(await askKey("redis", "kms:Decrypt", "alias/blackroad-backups", "s3.eu-west-1.amazonaws.com")).toBe("no");
  });
});
