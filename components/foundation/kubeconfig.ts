import { resolve } from "node:path";
import { load } from "js-yaml";
import { z } from "zod";

/** A kubeconfig (kubectl's `Config`, v1), as far as it is looked at. Pure: files are read in kubeconfig-file.ts. */
const cluster = z.object({
  server: z.url(),
  "certificate-authority-data": z.string().optional(),
  "certificate-authority": z.string().optional(),
  "insecure-skip-tls-verify": z.boolean().optional(),
  "tls-server-name": z.string().optional(),
});

const command = z.object({
  apiVersion: z.string(),
  command: z.string(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  provideClusterInfo: z.boolean().optional(),
});

const user = z.object({
  "client-certificate-data": z.string().optional(),
  "client-key-data": z.string().optional(),
  "client-certificate": z.string().optional(),
  "client-key": z.string().optional(),
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  exec: command.nullish(),
});

const config = z.object({
  contexts: z.array(z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) })).nullish(),
  clusters: z.array(z.object({ name: z.string(), cluster })).nullish(),
  users: z.array(z.object({ name: z.string(), user: user.nullish() })).nullish(),
});

export type KubeCluster = z.infer<typeof cluster>;
export type KubeUser = z.infer<typeof user>;
export type ExecCommand = z.infer<typeof command>;

/** What a context leads to. */
export interface KubeContext {
  readonly name: string;
  readonly cluster: KubeCluster;
  readonly user: KubeUser;
}

/** A kubeconfig's text, and the folder that its relative paths are meant from. */
export interface KubeconfigFile {
  readonly text: string;
  readonly folder: string;
}

/** What is wrong with a kubeconfig, in words that can go into a message. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

/**
 * The context of a name in files that are read together, as kubectl does: the first that has a name wins.
 * @throws KubeconfigError where a text is no kubeconfig, or the context or what it names is missing
 */
export function contextIn(sources: readonly KubeconfigFile[], name: string): KubeContext {
  const files = sources.map(parse);
  const contexts = files.flatMap(({ contexts: list }) => list ?? []);
  const found = contexts.find((one) => one.name === name)?.context;
  if (found === undefined) throw new KubeconfigError(`there is no context ${JSON.stringify(name)}; there ${contexts.length === 0 ? "is none" : `are: ${contexts.map((one) => one.name).join(", ")}`}`);
  const reached = files.flatMap(({ clusters }) => clusters ?? []).find((one) => one.name === found.cluster)?.cluster;
  if (reached === undefined) throw new KubeconfigError(`the context ${name} names the cluster ${found.cluster}, which is not there`);
  const known = files.flatMap(({ users }) => users ?? []).find((one) => one.name === found.user);
  if (known === undefined) throw new KubeconfigError(`the context ${name} names the user ${found.user}, which is not there`);
  return { name, cluster: reached, user: known.user ?? {} };
}

type Config = z.infer<typeof config>;

function parse({ text, folder }: KubeconfigFile): Config {
  let document: unknown;
  try {
    document = load(text);
  } catch (cause) {
    throw new KubeconfigError(`it is no YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const parsed = config.safeParse(document ?? {}); // an empty file is an empty configuration
  if (parsed.success) return absolute(parsed.data, folder);
  throw new KubeconfigError(`it is no kubeconfig: ${parsed.error.issues.map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`).join("; ")}`);
}

const absolute = (found: Config, folder: string): Config => ({
  ...found,
  clusters: found.clusters?.map((one) => ({ ...one, cluster: { ...one.cluster, ...pathsOf(one.cluster, ["certificate-authority"], folder) } })),
  users: found.users?.map((one) => ({ ...one, user: { ...one.user, ...pathsOf(one.user ?? {}, ["client-certificate", "client-key", "tokenFile"], folder) } })),
});

function pathsOf<K extends string>(values: Readonly<Partial<Record<K, string | undefined>>>, keys: readonly K[], folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    keys.flatMap((key) => {
      const path = values[key];
      return path === undefined ? [] : [[key, resolve(folder, path)]];
    }),
  );
}
