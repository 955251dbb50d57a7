import { createHash, randomBytes } from "node:crypto";
import type { Cloud } from "./cloud.ts";
import { hash, need, ruled, type Asked, type Rule } from "./rules.ts";
import { objects, text } from "./wire.ts";

const bucketType = "cloudflare:index/r2Bucket:R2Bucket";
const tokenType = "cloudflare:index/accountToken:AccountToken";

const bucketThere = (cloud: Cloud, account: string, name: string) => cloud.all(bucketType).find(({ inputs }) => inputs["accountId"] === account && inputs["name"] === name);
const noBucket = ({ inputs, cloud }: Asked): string | undefined =>
  bucketThere(cloud, need(inputs, "accountId"), need(inputs, "bucketName")) === undefined ? `10006: the bucket ${need(inputs, "bucketName")} does not exist` : undefined;
/** A setting of a bucket, written over as a whole. */
const setting: Rule = { id: ({ inputs }) => need(inputs, "bucketName"), prevented: noBucket, replaces: ["accountId", "bucketName", "jurisdiction"] };

/** Names that Cloudflare gives to the permission groups that a token for R2 is made of; the ids are made up. */
const permissionGroups = ["Workers R2 Storage Bucket Item Read", "Workers R2 Storage Bucket Item Write", "Workers R2 Storage Read", "Workers R2 Storage Write", "DNS Write", "Load Balancers Write"].map((name) => ({
  id: hash(name, 32),
  name,
  scopes: [name.includes("Bucket Item") ? "com.cloudflare.edge.r2.bucket" : "com.cloudflare.api.account"],
}));

function unknownGroup({ inputs }: Asked): string | undefined {
  const asked = objects(inputs, "policies").flatMap((policy) => objects(policy, "permissionGroups").map((group) => text(group, "id") ?? ""));
  const missing = asked.filter((id) => !permissionGroups.some((group) => group.id === id));
  return missing.length > 0 ? `1001: no permission group ${missing.join(", ")}` : undefined;
}

const madeUpId = ({ type, cloud }: Asked): string => hash(`${type} ${cloud.all(type).length} ${randomBytes(8).toString("hex")}`, 32);

const rules: Readonly<Record<string, Rule>> = {
  [bucketType]: {
    id: ({ inputs }) => need(inputs, "name"),
    taken: "10004: the bucket you tried to create already exists, and you own it",
    replaces: ["accountId", "name", "jurisdiction", "location"],
    outputs: ({ inputs }) => ({ location: text(inputs, "location") ?? "weur", jurisdiction: text(inputs, "jurisdiction") ?? "default", storageClass: text(inputs, "storageClass") ?? "Standard", creationDate: "2026-01-01T00:00:00Z" }),
  },
  "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle": setting,
  "cloudflare:index/r2BucketLock:R2BucketLock": setting,
  "cloudflare:index/r2BucketCors:R2BucketCors": setting,
  "cloudflare:index/r2ManagedDomain:R2ManagedDomain": setting,
  // A token is shown once, when it is made: an import cannot bring its value back.
  [tokenType]: { id: madeUpId, prevented: unknownGroup, replaces: ["accountId"], outputs: (_asked, id) => ({ value: createHash("sha256").update(`${id} ${randomBytes(16).toString("hex")}`).digest("base64url").slice(0, 40), status: "active" }) },
  "cloudflare:index/loadBalancerMonitor:LoadBalancerMonitor": { id: madeUpId },
  "cloudflare:index/loadBalancerPool:LoadBalancerPool": { id: madeUpId },
  "cloudflare:index/loadBalancer:LoadBalancer": { id: madeUpId, replaces: ["zoneId"] },
  "cloudflare:index/dnsRecord:DnsRecord": { id: madeUpId, replaces: ["zoneId"] },
};

export const cloudflare = ruled({
  provider: "cloudflare",
  rules,
  functions: {
    "cloudflare:index/getAccountApiTokenPermissionGroupsList:getAccountApiTokenPermissionGroupsList": (args) => {
      const name = text(args, "name");
      const wanted = name === undefined ? undefined : decodeURIComponent(name);
      return { ...args, results: permissionGroups.filter((group) => wanted === undefined || group.name === wanted) };
    },
    "cloudflare:index/getR2Bucket:getR2Bucket": (args, { cloud }) => {
      const bucket = bucketThere(cloud, need(args, "accountId"), need(args, "bucketName"));
      if (bucket === undefined) throw new Error('failed to make http request: 404 Not Found {"errors":[{"code":10006,"message":"The specified bucket does not exist."}]}');
      return { ...bucket.inputs, ...bucket.outputs, ...args, id: bucket.id };
    },
    "cloudflare:index/getZone:getZone": (args) => ({ ...args, id: hash(JSON.stringify(args), 32), zoneId: hash(JSON.stringify(args), 32) }),
  },
  location: () => "",
  // ACCOUNT/ID, with more in front or behind where the type has more to say.
  resolved: (type, id) => ({ id: type === bucketType || type.includes("r2Bucket") ? (id.split("/")[1] ?? id) : (id.split("/").at(-1) ?? id), location: "" }),
});
