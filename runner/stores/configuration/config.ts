import { isAbsolute } from "node:path";
import { z } from "zod";

const absolutePath = z.string().refine(isAbsolute, "must be an absolute path");
/** Becomes the name of a file. */
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be lower-case letters, digits and hyphens");

const repository = z.strictObject({
  name,
  /** A folder of this machine, or a URL that `git clone` takes. */
  source: z.string().min(1).refine((source) => isAbsolute(source) || /^(https|ssh|file):\/\//.test(source), "must be an absolute path, or a URL of https, ssh or file"),
  /** In the form of git-credential-store, for https: `https://USER:TOKEN@HOST` a line. */
  credentialsFile: absolutePath.optional(),
  /** For ssh: the private key. The host's key must be in `knownHostsFile`. */
  sshKeyFile: absolutePath.optional(),
  knownHostsFile: absolutePath.optional(),
  /** The authority of an https server's certificate; default: the system's. */
  caFile: absolutePath.optional(),
});

const kubernetes = z.strictObject({
  /** Of its API. */
  url: z.url({ protocol: /^https$/ }),
  caFile: absolutePath,
  /** The pod's own, which Kubernetes renews: read anew by each run. */
  tokenFile: absolutePath,
});

/** Where Pulumi keeps the checkpoints of stacks: the folder `.pulumi` of its backend. */
const state = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("folder"), name, path: absolutePath }),
  z.strictObject({
    kind: z.literal("s3"),
    name,
    endpoint: z.string().min(1),
    region: z.string().min(1),
    bucket: z.string().min(3),
    /** In front of `.pulumi`, without slashes at its ends. */
    prefix: z.string().default(""),
    caFile: absolutePath.optional(),
    /** Absent: the pod's own role. */
    credentialsFile: absolutePath.optional(),
  }),
]);

export const configurationConfigSchema = z
  .strictObject({ repositories: z.array(repository).default([]), kubernetes: kubernetes.optional(), states: z.array(state).default([]) })
  .refine(({ repositories, states }) => [repositories, states].every((list) => new Set(list.map((one) => one.name)).size === list.length), "names one thing twice")
  .refine(({ repositories, kubernetes: cluster, states }) => repositories.length + states.length > 0 || cluster !== undefined, "names nothing to keep");

export type ConfigurationConfig = z.infer<typeof configurationConfigSchema>;
export type RepositoryConfig = z.infer<typeof repository>;
export type KubernetesConfig = z.infer<typeof kubernetes>;
export type StateConfig = z.infer<typeof state>;
