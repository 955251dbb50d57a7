import { describe, expect, it } from "vitest";
import { keyPolicy } from "../../../components/keys/key-policy.ts";
import { account, decide, documentProblems, roleOf } from "../../harness/iam.ts";

const administrator = roleOf("KeyAdministrator");
const writer = roleOf("blackroad-dr-postgres-us-east-1");
const reader = roleOf("blackroad-dr-restore-us-west-2");
const key = `arn:aws:kms:us-west-2:${account}:key/mrk-1234abcd12ab34cd56ef1234567890ab`;
const policy = keyPolicy({ accountId: account, regions: ["us-west-2", "us-east-1"], administrators: [administrator], encrypters: [roleOf("blackroad-dr-postgres-*")], decrypters: [reader], stateBucket: "blackroad-pulumi-state" });
const may = (principal: string, action: string, context: Record<string, string> = {}) => decide({ principal, action, resource: key, policy, context });

describe("a key's policy", () => {
  it("is one that AWS takes: no unknown action or condition key", async () => {
    expect(await documentProblems(policy, "resource", () => key)).toEqual([]);
  });

  it("lets the administrator manage and delete the key, but not use it", async () => {
    for (const action of ["kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy", "kms:ReplicateKey"]) expect(await may(administrator, action), action).toBe("Allowed");
    for (const action of ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant"]) expect(await may(administrator, action), action).toBe("ImplicitlyDenied");
  });

  it("lets the administrator, who runs Pulumi, use it through Secrets Manager and for Pulumi's state alone", async () => {
    const state = "arn:aws:s3:::blackroad-pulumi-state";
    for (const action of ["kms:Decrypt", "kms:GenerateDataKey"]) {
      expect(await may(administrator, action, { "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com" }), action).toBe("Allowed");
      expect(await may(administrator, action, { "kms:ViaService": "s3.us-west-2.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": state }), action).toBe("Allowed");
      expect(await may(administrator, action, { "kms:ViaService": "s3.us-west-2.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::blackroad-backups-dr" }), action).toBe("ImplicitlyDenied");
    }
    expect(await may(writer, "kms:Decrypt", { "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com" })).toBe("ImplicitlyDenied");
  });

  it("lets the administrator encrypt the secrets in Pulumi's state, which no service does for it, and nothing else by the same way", async () => {
    for (const action of ["kms:Decrypt", "kms:Encrypt"]) {
      expect(await may(administrator, action, { "kms:EncryptionContext:pulumi": "blackroad-pulumi-state" }), action).toBe("Allowed");
      expect(await may(administrator, action, { "kms:EncryptionContext:pulumi": "another" }), action).toBe("ImplicitlyDenied");
      expect(await may(administrator, action, { "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::blackroad-backups-dr" }), action).toBe("ImplicitlyDenied");
    }
  });

  it("denies everybody else the key's end, whatever their own policy allows", async () => {
    for (const principal of [writer, reader, roleOf("AccountAdministrator"), `arn:aws:iam::${account}:user/thief`, `arn:aws:iam::${account}:root`]) {
      for (const action of ["kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:DeleteImportedKeyMaterial"]) expect(await may(principal, action), `${principal} ${action}`).toBe("ExplicitlyDenied");
    }
  });

  it("lets a writer encrypt, and decrypt only what S3 asks for the parts of an upload", async () => {
    for (const action of ["kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"]) expect(await may(writer, action), action).toBe("Allowed");
    expect(await may(writer, "kms:Decrypt")).toBe("ImplicitlyDenied");
    expect(await may(writer, "kms:Decrypt", { "kms:ViaService": "s3.us-west-2.amazonaws.com" })).toBe("Allowed");
    expect(await may(writer, "kms:Decrypt", { "kms:ViaService": "s3.eu-central-1.amazonaws.com" })).toBe("ImplicitlyDenied");
  });

  it("lets a reader decrypt, and write nothing", async () => {
    expect(await may(reader, "kms:Decrypt")).toBe("Allowed");
    for (const action of ["kms:Encrypt", "kms:GenerateDataKey", "kms:PutKeyPolicy"]) expect(await may(reader, action), action).toBe("ImplicitlyDenied");
  });

  it("gives an account's other roles nothing, even those that IAM allows everything", async () => {
    for (const action of ["kms:Decrypt", "kms:Encrypt", "kms:PutKeyPolicy", "kms:CreateGrant"]) expect(await may(roleOf("AccountAdministrator"), action), action).toBe("ImplicitlyDenied");
  });

  it("leaves the account's root user a way back when no administrator is left", async () => {
    expect(await may(`arn:aws:iam::${account}:root`, "kms:PutKeyPolicy")).toBe("Allowed");
  });

  it("gives another account nothing, though its role has the same name", async () => {
    for (const action of ["kms:Decrypt", "kms:ScheduleKeyDeletion"]) expect(await may(roleOf("KeyAdministrator", "444455556666"), action), action).not.toBe("Allowed");
  });

  it("lets KMS synchronise the replicas", async () => {
    expect(await may(roleOf("aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys"), "kms:SynchronizeMultiRegionKey")).toBe("Allowed");
  });

  it("has no wildcard among those who are allowed something, and kms:* for the root user alone", () => {
    for (const { Effect, Principal, Action, Condition } of policy.Statement) {
      if (Effect === "Allow") expect(Principal).toEqual({ AWS: `arn:aws:iam::${account}:root` });
      if (Effect === "Allow") expect(Condition).toBeDefined();
      if (Action === "kms:*") expect(Condition).toEqual({ ArnEquals: { "aws:PrincipalArn": `arn:aws:iam::${account}:root` } });
    }
  });
});
