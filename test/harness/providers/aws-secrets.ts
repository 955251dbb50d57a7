import { account } from "./aws-place.ts";
import type { Cloud, Thing } from "./cloud.ts";
import { hash, need, uuid, type Asked, type Rule } from "./rules.ts";
import { objects, text, texts } from "./wire.ts";

const secretType = "aws:secretsmanager/secret:Secret";
const versionType = "aws:secretsmanager/secretVersion:SecretVersion";

const arnOf = (region: string, name: string): string => `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${hash(name, 6)}`;
export const secretName = (nameOrArn: string): string => (nameOrArn.startsWith("arn:") ? (nameOrArn.split(":secret:")[1] ?? "").replace(/-[0-9a-f]{6}$/, "") : nameOrArn);

const replicaRegions = (secret: Thing): readonly string[] => objects(secret.inputs, "replicas").flatMap((replica) => text(replica, "region") ?? []);

/** The secret of a name as a region sees it: its own, or its replica of another's. */
export function secretIn(cloud: Cloud, region: string, nameOrArn: string): { readonly secret: Thing; readonly arn: string } | undefined {
  const name = secretName(nameOrArn);
  const secret = cloud.all(secretType).find((one) => one.inputs["name"] === name && (one.location === region || replicaRegions(one).includes(region)));
  return secret === undefined ? undefined : { secret, arn: arnOf(region, name) };
}

export const secretsIn = (cloud: Cloud, region: string): readonly Thing[] => cloud.all(secretType).filter((one) => one.location === region || replicaRegions(one).includes(region));

export const versionsOf = (cloud: Cloud, secret: Thing): readonly Thing[] =>
  cloud.all(versionType).filter((one) => one.location === secret.location && secretName(need(one.inputs, "secretId")) === secretName(secret.id));

/** What a secret says now; `undefined` where it was made and nothing was put into it yet. */
export function currentVersion(cloud: Cloud, secret: Thing): Thing | undefined {
  return versionsOf(cloud, secret).find((one) => stages(one).includes("AWSCURRENT"));
}
export const stages = (version: Thing): readonly string[] => texts(version.outputs, "versionStages");

/** The newest version is the current one; the one before it keeps its value under another stage. */
function currentOnly(thing: Thing, event: "there" | "gone", cloud: Cloud): void {
  if (event === "gone") return;
  const secret = { ...thing, id: secretName(need(thing.inputs, "secretId")) };
  for (const other of versionsOf(cloud, secret).filter(({ id }) => id !== thing.id)) cloud.put({ ...other, outputs: { ...other.outputs, versionStages: ["AWSPREVIOUS"] } });
}

const noSecret = ({ inputs, cloud, location }: Asked): string | undefined =>
  cloud.find({ provider: "aws", type: secretType, location, id: arnOf(location, secretName(need(inputs, "secretId"))) }) === undefined ? `ResourceNotFoundException: Secrets Manager can't find the secret ${need(inputs, "secretId")} in ${location}` : undefined;

export const secretRules: Readonly<Record<string, Rule>> = {
  [secretType]: {
    id: ({ inputs, location }) => arnOf(location, need(inputs, "name")),
    taken: "ResourceExistsException: a secret of that name exists",
    named: ["name"],
    replaces: ["name"],
    settled: (thing, event, cloud) => {
      if (event === "gone") for (const version of versionsOf(cloud, thing)) cloud.remove(version);
    },
  },
  [versionType]: {
    id: ({ inputs, location }) => `${arnOf(location, secretName(need(inputs, "secretId")))}|${uuid(`${need(inputs, "secretId")} ${text(inputs, "secretString") ?? ""}`)}`,
    prevented: noSecret,
    replaces: ["secretId", "secretString"],
    outputs: ({ inputs, location }, id) => ({ arn: arnOf(location, secretName(need(inputs, "secretId"))), secretArn: arnOf(location, secretName(need(inputs, "secretId"))), versionId: id.split("|")[1] ?? "", versionStages: ["AWSCURRENT"] }),
    survives: (version) => stages(version).includes("AWSCURRENT"), // AWS takes that stage from no version; the secret's end ends it
    settled: currentOnly,
  },
  "aws:secretsmanager/secretPolicy:SecretPolicy": { id: ({ inputs }) => need(inputs, "secretArn"), replaces: ["secretArn"] },
};
