import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { secretPath } from "../../plan/names.ts";
import { secretRegions, secretsOf } from "../../plan/secrets.ts";
import type { Plan } from "../../plan/types.ts";

export interface ExistingSecret {
  readonly arn: string;
  /** Its current value, secret; `undefined` where an interrupted `up` made the secret and not yet its value. */
  readonly value: pulumi.Output<string> | undefined;
}
/** By the name in the plan. */
export type ExistingSecrets = ReadonlyMap<string, ExistingSecret>;

/** Secrets Manager's label of the version that is in force. */
const current = "AWSCURRENT";

/**
 * Those of the plan's secrets that exist, looked up before anything is declared: what exists wins over what would be
 * made anew. Whoever runs `pulumi up` may list and read them. An error of AWS is thrown, never taken for "none".
 */
export async function findExistingSecrets(plan: Plan, options: pulumi.InvokeOptions = {}): Promise<ExistingSecrets> {
  const { home: region } = secretRegions(plan);
  const names = new Map(secretsOf(plan).map(({ name }) => [secretPath(plan, name), name]));
  // AWS's filter is by prefix; names and ARNs come as two sets without an order, so a name is read from its ARN.
  const { arns } = await aws.secretsmanager.getSecrets({ region, filters: [{ name: "name", values: [secretPath(plan, "")] }] }, options);
  const found = arns.flatMap((arn) => {
    const name = names.get(nameIn(arn));
    return name === undefined ? [] : [{ name, arn }];
  });
  return new Map(await Promise.all(found.map(async ({ name, arn }) => [name, { arn, value: await currentValue(arn, region, options) }] as const)));
}

/** `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-` and six characters that AWS adds. */
const nameIn = (arn: string): string => /:secret:(.+)-[A-Za-z0-9]{6}$/.exec(arn)?.[1] ?? "";

async function currentValue(arn: string, region: string, options: pulumi.InvokeOptions): Promise<pulumi.Output<string> | undefined> {
  const { versions } = await aws.secretsmanager.getSecretVersions({ secretId: arn, region }, options);
  if (!versions.some(({ versionStages }) => versionStages.includes(current))) return undefined;
  const { secretString } = await aws.secretsmanager.getSecretVersion({ secretId: arn, region, versionStage: current }, options);
  if (secretString === "") throw new Error(`${arn} in ${region} holds no text, so it is none of ours; move it out of the way by hand`);
  return pulumi.secret(secretString);
}
