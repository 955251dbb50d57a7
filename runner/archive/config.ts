import { isAbsolute } from "node:path";
import { z } from "zod";

const absolutePath = z.string().refine(isAbsolute, "must be an absolute path");
const common = {
  /** The plan's name of the backend. */
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "must be lower-case letters, digits and hyphens").default("archive"),
  region: z.string().min(1),
  /** The authority of the endpoint's certificate; default: the system's. */
  caFile: absolutePath.optional(),
  /** AWS's shared credentials format, profile `default`. Absent: the pod's own role. */
  credentialsFile: absolutePath.optional(),
};

/** Where the weekly archives go. Accounts that had no vault by 2025-12-15 can have `s3` only (facts F1). */
export const archiveConfigSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("glacier-vault"),
    ...common,
    vault: z.string().regex(/^[A-Za-z0-9_.-]{1,255}$/, "must be a vault's name"),
    /** Twelve digits; `-`: the account of the credentials. */
    accountId: z.string().regex(/^(-|\d{12})$/, "must be 12 digits or -").default("-"),
    /** Default: AWS's own of the region. */
    endpoint: z.url({ protocol: /^https?$/ }).optional(),
  }),
  z.strictObject({
    kind: z.literal("s3"),
    ...common,
    /** Host, or `host:port`; TLS always. */
    endpoint: z.string().min(1),
    bucket: z.string().min(3),
    prefix: z.string().default(""),
    storageClass: z.enum(["GLACIER", "DEEP_ARCHIVE"]).default("GLACIER"),
  }),
]);

export type ArchiveConfig = z.infer<typeof archiveConfigSchema>;
export type GlacierVaultConfig = Extract<ArchiveConfig, { kind: "glacier-vault" }>;
export type S3ArchiveConfig = Extract<ArchiveConfig, { kind: "s3" }>;
