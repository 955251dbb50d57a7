import { createHash } from "node:crypto";
import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";
import type { R2Access } from "./r2-access.ts";

export type R2Permission = "writer" | "reader";

/** Cloudflare's names of what a token may do in one bucket; the writer's includes reading, listing and deleting. */
const groups: Readonly<Record<R2Permission, string>> = { writer: "Workers R2 Storage Bucket Item Write", reader: "Workers R2 Storage Bucket Item Read" };

export interface R2TokenArgs {
  readonly accountId: string;
  readonly bucket: string;
  readonly jurisdiction: string;
  readonly permission: R2Permission;
  /** The token's name at Cloudflare, for people. */
  readonly title: string;
  readonly expiresOn: string;
}

/** A token that opens one bucket through its S3 protocol, until it expires. */
export function r2Token(name: string, args: R2TokenArgs, options: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource }): cloudflare.AccountToken {
  const known = cloudflare.getAccountApiTokenPermissionGroupsListOutput({ accountId: args.accountId }, { parent: options.parent });
  const policy: cloudflare.types.input.AccountTokenPolicy = {
    effect: "allow",
    permissionGroups: [{ id: known.results.apply((results) => groupId(results, args.permission)) }],
    resources: JSON.stringify({ [`com.cloudflare.edge.r2.bucket.${args.accountId}_${args.jurisdiction}_${args.bucket}`]: "*" }),
  };
  return new cloudflare.AccountToken(name, { accountId: args.accountId, name: args.title, policies: [policy], expiresOn: args.expiresOn }, options);
}

/**
 * Cloudflare's id of what a token may do.
 * @throws Error where the account has no such group
 */
export function groupId(known: readonly { readonly id: string; readonly name: string }[], permission: R2Permission): string {
  const name = groups[permission];
  const group = known.find((one) => one.name === name);
  if (group === undefined) throw new Error(`Cloudflare knows no permission group ${JSON.stringify(name)}: is R2 enabled in the account, and may this token read permission groups?`);
  return group.id;
}

/** R2's S3 credentials of a token: its id, and the SHA-256 of its value (Cloudflare's "Get S3 API credentials from an API token"). */
export function accessOf(token: cloudflare.AccountToken): R2Access {
  const accessKeyId = pulumi.secret(token.id);
  const secretAccessKey = pulumi.secret(token.value).apply((value) => createHash("sha256").update(value).digest("hex"));
  return {
    accessKeyId,
    secretAccessKey,
    // What the exporter tells of the token's end stands with the token: no configuration has to repeat it.
    file: pulumi.secret(pulumi.all([accessKeyId, secretAccessKey, token.expiresOn])).apply(([id, key, end]) => `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${key}\n${end === undefined ? "" : `expires_at = ${end}\n`}`),
  };
}
