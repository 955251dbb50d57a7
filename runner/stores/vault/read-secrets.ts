import { z } from "zod";
import { DrError, messageOf } from "../../errors.ts";
import { ask, type VaultLink } from "./connection.ts";

/** What could be read; never what it says. */
export interface SecretsRead {
  readonly mounts: number;
  readonly secrets: number;
  readonly errors: readonly string[];
}

const mountsAnswer = z.object({ data: z.record(z.string(), z.object({ type: z.string(), options: z.record(z.string(), z.string()).nullish() })) });
const listAnswer = z.object({ data: z.object({ keys: z.array(z.string()) }) });
const anything = z.object({ data: z.unknown() });

/** So many are read; all of them are decrypted by the same keys. */
const mostSecrets = 50;
const mostLists = 200;

/** Reads a sample of the secrets of each key-value engine, and the canary where there is one. */
export async function readSecrets(link: VaultLink, canary: string | undefined, signal: AbortSignal): Promise<SecretsRead> {
  const { data } = await ask(link, mountsAnswer, { path: "/v1/sys/mounts", signal });
  const walk = { link, signal, secrets: 0, lists: 0, errors: [] as string[] };
  for (const [mount, { type, options }] of Object.entries(data)) {
    if (type !== "kv" && type !== "generic") continue;
    const versioned = options?.["version"] === "2";
    await visit(walk, versioned ? { list: `${mount}metadata/`, read: `${mount}data/` } : { list: mount, read: mount });
  }
  if (canary !== undefined) await readCanary(link, canary, signal);
  return { mounts: Object.keys(data).length, secrets: walk.secrets + (canary === undefined ? 0 : 1), errors: walk.errors };
}

/** One secret that somebody put there to be read. */
export async function readCanary(link: VaultLink, path: string, signal: AbortSignal): Promise<void> {
  await ask(link, anything, { path: `/v1/${path}`, signal }).catch((cause: unknown) => {
    throw new DrError({ kind: "failed", what: `the secret that is there to be read cannot be: ${messageOf(cause)}`, where: path, todo: "See whether it is in production's Vault, and whether this login may read it.", cause });
  });
}

interface Walk {
  readonly link: VaultLink;
  readonly signal: AbortSignal;
  secrets: number;
  lists: number;
  readonly errors: string[];
}

async function visit(walk: Walk, at: { readonly list: string; readonly read: string }): Promise<void> {
  if (walk.secrets >= mostSecrets || walk.lists >= mostLists) return;
  walk.lists += 1;
  for (const key of await keysUnder(walk, at.list)) {
    if (walk.secrets >= mostSecrets) return;
    const name = key.split("/").map(encodeURIComponent).join("/");
    if (key.endsWith("/")) await visit(walk, { list: `${at.list}${name}`, read: `${at.read}${name}` });
    else await readOne(walk, `${at.read}${name}`);
  }
}

async function keysUnder({ link, signal }: Walk, path: string): Promise<readonly string[]> {
  const { status, text } = await link.http.text({ path: `/v1/${path}?list=true`, headers: link.as, accept: [404], signal });
  return status === 404 ? [] : listAnswer.parse(JSON.parse(text)).data.keys;
}

/** The newest version of a secret may have been deleted: the server then answers 404 and says when. */
async function readOne(walk: Walk, path: string): Promise<void> {
  try {
    await walk.link.http.text({ path: `/v1/${path}`, headers: walk.link.as, accept: [404], signal: walk.signal });
    walk.secrets += 1;
  } catch (error) {
    walk.errors.push(`${path}: ${messageOf(error)}`);
  }
}
