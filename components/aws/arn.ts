import type { Plan } from "../../plan/types.ts";

export { patternsMeet } from "../../plan/arn-patterns.ts";

export const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;
/** A key by its alias, which is the same in every region. */
export const aliasArn = (region: string, accountId: string, alias: string): string => `arn:aws:kms:${region}:${accountId}:${alias}`;
export const roleArn = (accountId: string, role: string): string => `arn:aws:iam::${accountId}:role/${role}`;

export const accountProblem = (accountId: string): string | undefined => (/^\d{12}$/.test(accountId) ? undefined : `accountId: ${JSON.stringify(accountId)} is no AWS account, which has 12 digits`);

export function aliasProblem(alias: string): string | undefined {
  const what = `keyAlias: ${JSON.stringify(alias)}`;
  if (!/^alias\/[a-zA-Z0-9/_-]+$/.test(alias)) return `${what} is no alias; write alias/NAME`;
  return alias.startsWith("alias/aws/") ? `${what} is AWS's own key, whose policy nobody can change` : undefined;
}

/** IAM's principals that a person or a workload can be: no groups, and nobody of another account. */
const principal = /^arn:aws:iam::(\d{12}):(?:root|(?:role|user)\/[\w+=,.@/*-]+)$/;

/** What is wrong with an ARN pattern of those who may do something in an account. */
export function principalProblem(field: string, pattern: string, accountId: string): string | undefined {
  const account = principal.exec(pattern)?.[1];
  const what = `${field}: ${JSON.stringify(pattern)}`;
  if (account === undefined) return `${what} is no ARN of a role or user, e.g. ${roleArn(accountId, "NAME")}`;
  if (account !== accountId) return `${what} is of account ${account}, not of ${accountId}`;
  return /\/\*+$/.test(pattern) && !pattern.includes("/aws-reserved/") ? `${what} is everybody of the account` : undefined;
}

/** A workload's role, where `*` may only stand for what follows the plan's name. */
export function workloadProblem(field: string, pattern: string, accountId: string, plan: Plan): string | undefined {
  const wrong = principalProblem(field, pattern, accountId);
  if (wrong !== undefined) return wrong;
  if (!pattern.startsWith(roleArn(accountId, ""))) return `${field}: ${JSON.stringify(pattern)} is no role; workloads have no users of their own`;
  return !pattern.includes("*") || pattern.startsWith(roleArn(accountId, `${plan.name}-`)) ? undefined : `${field}: ${JSON.stringify(pattern)} has * before the plan's name; write ${roleArn(accountId, `${plan.name}-…`)}`;
}
