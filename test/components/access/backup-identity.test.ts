import * as k8s from "@pulumi/kubernetes";
import { describe, expect, it } from "vitest";
import { BackupIdentity, type BackupIdentityArgs } from "../../../components/access/backup-identity.ts";
import { trustPolicy } from "../../../components/access/trust-policy.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { account, decide } from "../../harness/iam.ts";
import { declare } from "../../harness/pulumi.ts";

const issuer = "https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF";
const host = issuer.replace("https://", "");
const provider = `arn:aws:iam::${account}:oidc-provider/${host}`;
const args: BackupIdentityArgs = { plan: blackroad, identity: "redis", region: "us-east-1", accountId: account, oidc: { arn: provider, issuer }, serviceAccount: { kind: "expected" }, lifetime: "kept" };
const declared = (changes: Partial<BackupIdentityArgs> = {}) => declare(() => new BackupIdentity("redis", { ...args, ...changes }));

describe("an identity", () => {
  it("is a role that carries its region in its name, with what its job needs and nothing else", async () => {
    const result = await declared();
    expect(result.one("aws:iam/role:Role").inputs).toMatchObject({ name: "blackroad-dr-redis-us-east-1" });
    expect(result.one("aws:iam/rolePolicy:RolePolicy").inputs).toMatchObject({ name: "backups", role: "blackroad-dr-redis-us-east-1" });
    expect(String(result.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])).toContain("arn:aws:s3:::blackroad-backups-dr/redis/*");
    expect(result.all.map(({ type }) => type)).not.toContain("kubernetes:core/v1:ServiceAccount");
    expect(result.one("blackroad:access:BackupIdentity").outputs).toMatchObject({ identity: "redis", access: "writer", role: "blackroad-dr-redis-us-east-1", serviceAccount: "dr-redis", namespace: "blackroad-dr" });
  });

  it("is known whole at preview, but for what the cluster computes", async () => {
    const result = await declare(() => new BackupIdentity("redis", args), { preview: true });
    expect(JSON.parse(String(result.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"]))).toHaveProperty("Statement");
  });

  it("is taken by a service account that carries the role", async () => {
    const result = await declare(() => new BackupIdentity("redis", { ...args, namespace: "elsewhere", serviceAccount: { kind: "declare", provider: new k8s.Provider("cluster", { context: "east" }) } }));
    expect(result.one("kubernetes:core/v1:ServiceAccount")).toMatchObject({
      inputs: {
        metadata: { name: "dr-redis", namespace: "elsewhere", annotations: { "eks.amazonaws.com/role-arn": `arn:aws:iam::${account}:redis-role` } },
        automountServiceAccountToken: false,
      },
      provider: result.one("pulumi:providers:kubernetes").urn.concat("::cluster-id"),
    });
    expect(String(result.one("aws:iam/role:Role").inputs["assumeRolePolicy"])).toContain('"system:serviceaccount:elsewhere:dr-redis"');
  });

  it("has in a drill another name than production's", async () => {
    const result = await declared({ identity: "restore", lifetime: "ephemeral", namespace: "dr-drill-20261122-ab12" });
    expect(result.one("aws:iam/role:Role").inputs["name"]).toBe("blackroad-dr-restore-us-east-1-dr-drill-20261122-ab12");
  });
});

describe("who takes the role", () => {
  // The simulator knows the condition keys of a few public issuers only.
  const own = "accounts.google.com";
  const trusting = (address: string) => trustPolicy({ provider: `arn:aws:iam::${account}:oidc-provider/${own}`, issuer: address, namespace: "blackroad-dr", serviceAccount: "dr-redis" });
  const ask = (subject: string, audience = "sts.amazonaws.com", from = own): Promise<string> =>
    decide({
      principal: `arn:aws:iam::${account}:oidc-provider/${from}`, action: "sts:AssumeRoleWithWebIdentity", resource: `arn:aws:iam::${account}:role/blackroad-dr-redis-us-east-1`,
      policy: trusting(`https://${own}`), context: { [`${own}:sub`]: subject, [`${own}:aud`]: audience },
    });

  it("is exactly its service account", async () => {
    for (const address of [issuer, host, `${issuer}/`]) expect(trusting(address).Statement).toMatchObject([{ Condition: { StringEquals: { [`${host}:aud`]: "sts.amazonaws.com", [`${host}:sub`]: "system:serviceaccount:blackroad-dr:dr-redis" } } }]);
    expect(await ask("system:serviceaccount:blackroad-dr:dr-redis")).toBe("Allowed");
  });

  it.each([
    ["another account of the namespace", "system:serviceaccount:blackroad-dr:dr-restore"],
    ["its namesake elsewhere", "system:serviceaccount:default:dr-redis"],
    ["one whose name goes on", "system:serviceaccount:blackroad-dr:dr-redis-2"],
  ])("is not %s", async (_who, subject) => {
    expect(await ask(subject)).not.toBe("Allowed");
  });

  it("is nobody of another cluster", async () => {
    expect(await ask("system:serviceaccount:blackroad-dr:dr-redis", "sts.amazonaws.com", "other.example")).not.toBe("Allowed");
  });

  it("is nobody with a token that was made for another audience", async () => {
    expect(await ask("system:serviceaccount:blackroad-dr:dr-redis", "https://kubernetes.default.svc")).not.toBe("Allowed");
  });
});

describe("what is refused", () => {
  const refusal = (changes: Partial<BackupIdentityArgs>): string => {
    try {
      new BackupIdentity("redis", { ...args, ...changes });
    } catch (error) {
      return String(error);
    }
    return "";
  };

  it("is a region that is none of the plan's", () => {
    expect(refusal({ region: "eu-central-1" })).toContain("region: eu-central-1 is no region of the plan");
  });
  it("is an account that is none", () => {
    expect(refusal({ accountId: "1" })).toContain('accountId: "1" is no AWS account');
    expect(refusal({ archiveAccountId: "2" })).toContain('archiveAccountId: "2" is no AWS account');
  });
  it("is a namespace that is a pattern", () => {
    expect(refusal({ namespace: "*" })).toContain('namespace: "*" is no name of a Kubernetes namespace');
  });
  it("is a provider that is none", () => {
    expect(refusal({ oidc: { arn: "arn:aws:iam::111122223333:role/x", issuer } })).toContain("oidc.arn");
  });
  it("is a role whose name IAM does not take", () => {
    expect(refusal({ identity: "restore", lifetime: "ephemeral", namespace: "n".repeat(40) })).toContain("IAM takes 64");
  });
  it("is a drill that could write", () => {
    expect(refusal({ lifetime: "ephemeral" })).toContain("identity: redis writes");
    expect(refusal({ identity: "verify", lifetime: "ephemeral" })).toContain("identity: verify writes");
  });
  it("comes all at once", () => {
    expect(refusal({ region: "", accountId: "", namespace: "" }).match(/^ {2}/gm)).toHaveLength(3);
  });
});
