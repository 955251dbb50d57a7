import { isAbsolute } from "node:path";
import { z } from "zod";

const absolutePath = z.string().refine(isAbsolute, "must be an absolute path");

const receiver = z
  .strictObject({
    /** Where nothing in it is secret: no password, no query. */
    url: z.url({ protocol: /^https?$/ }).refine((url) => new URL(url).username === "" && new URL(url).search === "", "holds a password or a query: put the whole address into a file, and name that as `urlFile`").optional(),
    /** Holds the address and nothing else; for one that whoever knows it may call (a chat's webhook). */
    urlFile: absolutePath.optional(),
    /** Holds the value of the header `Authorization`, e.g. `Bearer …`. */
    authorizationFile: absolutePath.optional(),
    /** The authority of its certificate; default: the system's. */
    caFile: absolutePath.optional(),
  })
  .refine(({ url, urlFile }) => (url === undefined) !== (urlFile === undefined), "needs `url` or `urlFile`, and not both");

/** Who is told of a failed backup, and of the first good one after it. */
export const notificationsConfigSchema = z.strictObject({
  /** Alertmanager, as it is reached from outside: `/api/v2/alerts` is put behind it. Several of one cluster: each is told. */
  alertmanagers: z.array(receiver).default([]),
  /** Each gets a POST with JSON. */
  webhooks: z.array(receiver).default([]),
  /** Added to the alerts, e.g. `region`: what Alertmanager's routes match. */
  labels: z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string()).default({}),
});

export type NotificationsConfig = z.infer<typeof notificationsConfigSchema>;
export type ReceiverConfig = z.infer<typeof receiver>;
