import type { Place } from "./behaviour.ts";
import { awsFunctions } from "./aws-functions.ts";
import { identityRules } from "./aws-identity.ts";
import { networkRules } from "./aws-network.ts";
import { account, endpointHost, regionOf, serviceOf } from "./aws-place.ts";
import { secretRules } from "./aws-secrets.ts";
import { storageRules } from "./aws-storage.ts";
import { hash, ruled, type Asked } from "./rules.ts";
import { text, type Properties } from "./wire.ts";

/** IAM and Route 53 know no regions, and a bucket's name is taken in all of them at once. */
function locationOf(type: string, inputs: Properties, place: Place): string {
  const service = serviceOf(type);
  if (service === "s3") return endpointHost(place) ?? "";
  return service === "iam" || service === "route53" ? "" : regionOf(inputs, place);
}

function arnOf({ type, inputs, location }: Asked, id: string): string {
  if (id.startsWith("arn:")) return id;
  const service = serviceOf(type);
  const kind = (type.split("/").at(-1) ?? "").split(":")[0] ?? "";
  switch (service) {
    case "s3":
      return `arn:aws:s3:::${text(inputs, "bucket") ?? id}`;
    case "iam":
      return `arn:aws:iam::${account}:${kind}/${id}`;
    case "kms":
      return `arn:aws:kms:${location}:${account}:${id.startsWith("alias/") ? id : `key/${id}`}`;
    case "glacier":
      return `arn:aws:glacier:${location}:${account}:vaults/${id}`;
    default:
      return `arn:aws:${service}:${location}:${account}:${kind}/${id}`;
  }
}

export const aws = ruled({
  provider: "aws",
  rules: { ...storageRules, ...secretRules, ...identityRules, ...networkRules },
  functions: awsFunctions,
  location: locationOf,
  // The provider's seventh version takes `ID@REGION`.
  resolved(type, id, place) {
    const [, bare = id, region] = /^(.*?)(?:@([a-z]{2}(?:-[a-z]+)+-\d))?$/.exec(id) ?? [];
    const inArn = /^arn:aws:[a-z0-9-]+:([a-z0-9-]+):/.exec(bare)?.[1];
    const named = region ?? inArn;
    return { id: bare, location: locationOf(type, named === undefined ? {} : { region: named }, place) };
  },
  common: (asked, id) => ({
    arn: arnOf(asked, id),
    accountId: account,
    ownerId: account,
    tagsAll: asked.inputs["tags"] ?? {},
    uniqueId: `AROA${hash(id, 17).toUpperCase()}`,
    region: regionOf(asked.inputs, asked.place),
  }),
  alwaysReplaces: ["region"],
});
