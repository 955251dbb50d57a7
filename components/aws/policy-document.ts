/**
 * IAM's policy language, as far as it is used here. Documents are plain values from plain names, never from outputs,
 * so that a preview, a policy pack and a test see the whole of them.
 */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Statement[];
}

export interface Statement {
  /** Letters and digits; an error of AWS names it. */
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  /** Of a policy on a resource; absent in one on a role. */
  readonly Principal?: "*" | { readonly AWS: string | readonly string[] } | { readonly Service: string } | { readonly Federated: string };
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Condition;
}

export type Condition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

export const policyDocument = (...statements: readonly (Statement | undefined)[]): PolicyDocument => ({ Version: "2012-10-17", Statement: statements.filter((statement) => statement !== undefined) });

/** Everybody of an account whom the account's own policies allow: who of them is the condition's to say, as KMS and S3
 * refuse a policy that names a role that does not exist (yet). */
export const accountRoot = (accountId: string): string => `arn:aws:iam::${accountId}:root`;

/** Those whose ARN has one of the patterns; of an assumed role, the role's. */
export const whose = (patterns: readonly string[]): Condition => ({ ArnLike: { "aws:PrincipalArn": patterns } });
/** Everybody but those; without patterns, everybody. */
export const exceptWhose = (patterns: readonly string[]): { readonly Condition?: Condition } => (patterns.length === 0 ? {} : { Condition: { ArnNotLike: { "aws:PrincipalArn": patterns } } });
