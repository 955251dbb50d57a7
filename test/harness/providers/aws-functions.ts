import { account, regionOf } from "./aws-place.ts";
import { currentVersion, secretIn, secretName, secretsIn, stages, versionsOf } from "./aws-secrets.ts";
import { keyIdOf, keyThere } from "./aws-storage.ts";
import type { Place } from "./behaviour.ts";
import type { Thing } from "./cloud.ts";
import { need } from "./rules.ts";
import { isObject, objects, text, texts, type Properties } from "./wire.ts";

function aliasThere(place: Place, region: string, name: string): Thing {
  const alias = place.cloud.find({ provider: "aws", type: "aws:kms/alias:Alias", location: region, id: name });
  if (alias === undefined) throw new Error(`reading KMS Alias (${name}): empty result`);
  return alias;
}

function secretThere(args: Properties, place: Place, key: string): { readonly secret: Thing; readonly arn: string; readonly region: string } {
  const region = regionOf(args, place);
  const found = secretIn(place.cloud, region, need(args, key));
  if (found === undefined) throw new Error(`reading Secrets Manager Secret (${need(args, key)}): couldn't find resource`);
  return { ...found, region };
}

/** Only prefixes of names are filtered for, as Secrets Manager does. */
function names(args: Properties, place: Place): readonly string[] {
  const prefixes = objects(args, "filters").filter((filter) => filter["name"] === "name").flatMap((filter) => texts(filter, "values"));
  const found = secretsIn(place.cloud, regionOf(args, place)).map(({ id }) => secretName(id));
  return prefixes.length === 0 ? found : found.filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
}

function role(args: Properties, place: Place): Properties {
  const found = place.cloud.find({ provider: "aws", type: "aws:iam/role:Role", location: "", id: need(args, "name") });
  if (found === undefined) throw new Error(`reading IAM Role (${need(args, "name")}): couldn't find resource`);
  return { ...found.outputs, id: found.id };
}

/** The one of a type in a region that has every tag that is asked for, as EC2 finds things. */
function tagged(type: string, what: string, args: Properties, place: Place): Thing {
  const wanted = Object.entries(isObject(args["tags"]) ? args["tags"] : {});
  const region = regionOf(args, place);
  const found = place.cloud.all(type).filter(({ location, inputs }) => location === region && wanted.every(([key, value]) => isObject(inputs["tags"]) && inputs["tags"][key] === value));
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${found.length === 0 ? "no" : "multiple"} matching ${what} found`);
  return first;
}

function zone(args: Properties, place: Place): Properties {
  const name = need(args, "name");
  const found = place.cloud.all("aws:route53/zone:Zone").find(({ inputs }) => inputs["name"] === name);
  if (found === undefined) throw new Error(`no matching Route 53 Hosted Zone found: ${name}`);
  return { ...found.outputs, id: found.id, zoneId: found.id };
}

/** The functions of the AWS provider that the simulation knows, answered from what exists. */
export const awsFunctions: Readonly<Record<string, (args: Properties, place: Place) => Properties>> = {
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({ accountId: account, arn: `arn:aws:iam::${account}:role/pulumi`, id: account, userId: "AROAEXAMPLE:pulumi" }),
  "aws:index/getPartition:getPartition": () => ({ partition: "aws", dnsSuffix: "amazonaws.com", id: "aws", reverseDnsPrefix: "com.amazonaws" }),
  "aws:index/getRegion:getRegion": (args, place) => ({ region: regionOf(args, place), id: regionOf(args, place), name: regionOf(args, place), description: "", endpoint: "" }),
  "aws:index/getAvailabilityZones:getAvailabilityZones": (args, place) => ({ id: regionOf(args, place), names: ["a", "b", "c"].map((zone) => `${regionOf(args, place)}${zone}`), zoneIds: [], groupNames: [], region: regionOf(args, place) }),
  "aws:kms/getAlias:getAlias": (args, place) => {
    const region = regionOf(args, place);
    const { id, outputs } = aliasThere(place, region, need(args, "name"));
    return { id: outputs["arn"], name: id, region, arn: outputs["arn"], targetKeyArn: outputs["targetKeyArn"], targetKeyId: keyIdOf(text(outputs, "targetKeyArn") ?? "") };
  },
  "aws:kms/getKey:getKey": (args, place) => {
    const region = regionOf(args, place);
    const asked = need(args, "keyId");
    const id = asked.startsWith("alias/") ? keyIdOf(text(aliasThere(place, region, asked).outputs, "targetKeyArn") ?? "") : keyIdOf(asked);
    const key = keyThere(place.cloud, region, id);
    if (key === undefined) throw new Error(`reading KMS Key (${asked}): couldn't find resource`);
    return { id, keyId: asked, arn: key.outputs["arn"], region, multiRegion: id.startsWith("mrk-"), enabled: true, keyState: "Enabled", multiRegionConfigurations: [], awsAccountId: account };
  },
  "aws:secretsmanager/getSecrets:getSecrets": (args, place) => {
    const region = regionOf(args, place);
    const found = names(args, place);
    return { id: region, region, names: found, arns: found.map((name) => secretIn(place.cloud, region, name)?.arn ?? "") };
  },
  "aws:secretsmanager/getSecret:getSecret": (args, place) => {
    const { secret, arn, region } = secretThere(args, place, text(args, "arn") === undefined ? "name" : "arn");
    return { id: arn, arn, region, name: secretName(secret.id), description: secret.inputs["description"] ?? "", kmsKeyId: secret.inputs["kmsKeyId"] ?? "", tags: secret.inputs["tags"] ?? {} };
  },
  "aws:secretsmanager/getSecretVersions:getSecretVersions": (args, place) => {
    const { secret, arn, region } = secretThere(args, place, "secretId");
    const versions = versionsOf(place.cloud, secret).map((version) => ({ versionId: version.outputs["versionId"], versionStages: stages(version), createdTime: "2026-01-01T00:00:00Z", lastAccessedDate: "" }));
    return { id: arn, arn, region, name: secretName(secret.id), secretId: need(args, "secretId"), secretArn: arn, secretName: secretName(secret.id), versions };
  },
  "aws:secretsmanager/getSecretVersion:getSecretVersion": (args, place) => {
    const { secret, arn, region } = secretThere(args, place, "secretId");
    const version = currentVersion(place.cloud, secret);
    if (version === undefined) throw new Error(`reading Secrets Manager Secret Version (${need(args, "secretId")}|AWSCURRENT): couldn't find resource`);
    return { id: `${arn}|AWSCURRENT`, arn, region, secretId: need(args, "secretId"), secretString: version.inputs["secretString"], secretBinary: "", versionId: version.outputs["versionId"], versionStages: ["AWSCURRENT"], createdDate: "2026-01-01T00:00:00Z" };
  },
  "aws:iam/getRole:getRole": role,
  "aws:ec2/getVpc:getVpc": (args, place) => {
    const vpc = tagged("aws:ec2/vpc:Vpc", "EC2 VPC", args, place);
    return { ...vpc.outputs, id: vpc.id };
  },
  "aws:ec2/getRouteTable:getRouteTable": (args, place) => {
    const table = tagged("aws:ec2/routeTable:RouteTable", "EC2 Route Table", args, place);
    return { ...table.outputs, id: table.id, routeTableId: table.id };
  },
  "aws:route53/getZone:getZone": zone,
};
