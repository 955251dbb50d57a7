import { describe, expect, it } from "vitest";
import { SealIdentity, type SealIdentityArgs } from "../../../components/access/seal-identity.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { declare } from "../../harness/pulumi.ts";

const args: SealIdentityArgs = {
  plan: blackroad,
  region: "us-west-2",
  accountId: "111122223333",
  oidc: { arn: "arn:aws:iam::111122223333:oidc-provider/oidc.example/id/1", issuer: "https://oidc.example/id/1" },
  namespace: "blackroad-dr",
  serviceAccount: "vault",
};

describe("the role by which Vault unseals", () => {
  it("uses the seal key's replica of its own region, by its alias, for nothing but sealing", async () => {
    const declared = await declare(() => new SealIdentity("seal", args));
    expect(declared.one("aws:iam/role:Role").inputs["name"]).toBe("blackroad-dr-vault-seal-us-west-2");
    expect(JSON.parse(String(declared.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"]))).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "Seal",
          Effect: "Allow",
          Action: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"],
          Resource: "arn:aws:kms:us-west-2:111122223333:key/*",
          Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": ["alias/blackroad-vault-seal"] } },
        },
      ],
    });
  });

  it("is taken by the servers' own service account and nobody else", async () => {
    const declared = await declare(() => new SealIdentity("seal", args));
    expect(JSON.parse(String(declared.one("aws:iam/role:Role").inputs["assumeRolePolicy"]))).toMatchObject({
      Statement: [{ Condition: { StringEquals: { "oidc.example/id/1:sub": "system:serviceaccount:blackroad-dr:vault", "oidc.example/id/1:aud": "sts.amazonaws.com" } } }],
    });
  });

  it("refuses a region, a key and an account that do not exist, all at once", async () => {
    const declared = await declare(() => {
      try {
        return new SealIdentity("seal", { ...args, plan: { ...blackroad, keys: ["backups"] }, region: "mars-1", accountId: "1" });
      } catch (error) {
        return String(error);
      }
    });
    for (const problem of ["mars-1 is no region", "there is no vault-seal", "is no AWS account"]) expect(declared.outputs).toContain(problem);
    expect(declared.all).toEqual([]);
  });
});
