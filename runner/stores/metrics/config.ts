import { isAbsolute } from "node:path";
import { z } from "zod";

const absolutePath = z.string().refine(isAbsolute, "must be an absolute path");

/** Where Prometheus is. It must run with `--web.enable-admin-api`. */
export const metricsConfigSchema = z.strictObject({
  /** `http://HOST:PORT` or `https://HOST:PORT`, with its route prefix where it has one. */
  url: z.url({ protocol: /^https?$/ }),
  /** The authority of its certificate; default: the system's. */
  caFile: absolutePath.optional(),
  /** Its data directory (`--storage.tsdb.path`) as this run sees it: a snapshot is a folder of hard links in it, which
   * this run reads and then removes. */
  dataDirectory: absolutePath,
});

export type MetricsConfig = z.infer<typeof metricsConfigSchema>;
