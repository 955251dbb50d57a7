import { isAbsolute } from "node:path";
import { z } from "zod";

const absolutePath = z.string().refine(isAbsolute, "must be an absolute path");

/** The bucket of the services' own objects, in R2. Where its copy goes follows from the plan. */
export const objectsConfigSchema = z.strictObject({
  /** `host:port` or a host; TLS always. */
  endpoint: z.string().min(1),
  region: z.string().min(1).default("auto"),
  bucket: z.string().min(3),
  /** Only what is under it, without slashes at its ends. Default: the whole bucket. */
  prefix: z.string().regex(/^$|^[^/](.*[^/])?$/, "must not begin or end with a slash").default(""),
  /** The authority that signs the endpoint's certificate. Default: the system's. */
  caFile: absolutePath.optional(),
  /** AWS's shared credentials format, profile `default`. Reading is enough. */
  credentialsFile: absolutePath,
  /** Of an account that may write, for a recovery back into the bucket. Default: `credentialsFile`. */
  recoveryCredentialsFile: absolutePath.optional(),
});

export type ObjectsConfig = z.infer<typeof objectsConfigSchema>;
