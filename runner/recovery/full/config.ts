import { isAbsolute } from "node:path";
import { z } from "zod";

const absolutePath = z.string().refine(isAbsolute, "must be an absolute path");
const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be a name as Kubernetes has it");
const seconds = z.number().positive();

/** What `dr recover full` does beside the stores (R1): what stands before them, and what is started after them. */
export const fullRecoveryConfigSchema = z.strictObject({
  /** Brought up from code where there is nothing left (the cold tier): stacks of this project, in this order. */
  infrastructure: z.strictObject({ directory: absolutePath, stacks: z.array(name).min(1) }).optional(),
  /** Started when the data has been validated, in this order (api, agents, workers); stopped until then. */
  services: z
    .strictObject({
      /** Of the cluster's interface, e.g. `https://kubernetes.default.svc`. */
      url: z.url(),
      caFile: absolutePath.optional(),
      /** May read and scale these deployments and list the namespace's pods, and nothing else. */
      tokenFile: absolutePath.optional(),
      namespace: name,
      deployments: z.array(z.strictObject({ name, replicas: z.int().min(1) })).min(1),
      /** Seconds for the pods of one deployment to be available. Default 600: an image may have to be pulled first. */
      availableWithin: seconds.optional(),
      /** Seconds for the pods of one deployment to be gone. Default 180: most have half a minute to finish what they do. */
      goneWithin: seconds.optional(),
    })
    .optional(),
  /** Asked last; each must answer with a status of 2xx, within so many seconds (default 120). */
  health: z.array(z.strictObject({ name: z.string().min(1), url: z.url(), caFile: absolutePath.optional(), within: seconds.optional() })).default([]),
});

export type FullRecoveryConfig = z.infer<typeof fullRecoveryConfigSchema>;
export type ServicesConfig = NonNullable<FullRecoveryConfig["services"]>;
