import { accountRoot, policyDocument, whose, type PolicyDocument, type Statement } from "../aws/policy-document.ts";

export interface VaultPolicyInput {
  readonly accountId: string;
  readonly region: string;
  readonly vault: string;
  /** For how many days nobody can delete an archive. */
  readonly lockDays: number;
  /** ARN patterns of roles of other accounts that write and read. */
  readonly foreignWriters: readonly string[];
}

export const vaultArn = ({ accountId, region, vault }: Pick<VaultPolicyInput, "accountId" | "region" | "vault">): string => `arn:aws:glacier:${region}:${accountId}:vaults/${vault}`;

/** The lock, which is for ever once it is completed: it holds no more than what must never change. */
export const vaultLockPolicy = (input: VaultPolicyInput): PolicyDocument =>
  policyDocument({ Sid: "NobodyDeletesYoungArchives", Effect: "Deny", Principal: "*", Action: "glacier:DeleteArchive", Resource: vaultArn(input), Condition: { NumericLessThan: { "glacier:ArchiveAgeInDays": String(input.lockDays) } } });

/** What can be changed: TLS alone, and who of another account writes. */
export function vaultAccessPolicy(input: VaultPolicyInput): PolicyDocument {
  const accounts = [...new Set(input.foreignWriters.map((pattern) => pattern.split(":")[4]).filter((account) => account !== undefined))].map(accountRoot);
  const foreign: Statement = {
    Sid: "WritersOfOtherAccounts",
    Effect: "Allow",
    Principal: { AWS: accounts },
    Action: [
      "glacier:AbortMultipartUpload",
      "glacier:CompleteMultipartUpload",
      "glacier:DescribeJob",
      "glacier:DescribeVault",
      "glacier:GetJobOutput",
      "glacier:InitiateJob",
      "glacier:InitiateMultipartUpload",
      "glacier:ListJobs",
      "glacier:ListMultipartUploads",
      "glacier:ListParts",
      "glacier:UploadArchive",
      "glacier:UploadMultipartPart",
    ],
    Resource: vaultArn(input),
    Condition: whose(input.foreignWriters),
  };
  return policyDocument(
    { Sid: "OnlyOverTls", Effect: "Deny", Principal: "*", Action: "glacier:*", Resource: vaultArn(input), Condition: { Bool: { "aws:SecureTransport": "false" } } },
    accounts.length === 0 ? undefined : foreign,
  );
}
