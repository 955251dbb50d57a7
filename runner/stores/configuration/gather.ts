import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunContext } from "../../context.ts";
import type { ConfigurationConfig } from "./config.ts";
import { digestsOf, fingerprintOf, folders, sha256, type Contents, type KeptRepository } from "./contents.ts";
import { digestOf, refsOf, writeBundle, type GitRun, type Refs } from "./git.ts";
import { readManifests } from "./manifests.ts";
import { readStates } from "./states.ts";

/** What is to be kept, as it is now; everything but the repositories' bundles, which are made only where something changed. */
export interface Gathered {
  /** By path in the archive. */
  readonly files: ReadonlyMap<string, string | Buffer>;
  readonly refs: ReadonlyMap<string, Refs>;
  readonly objects: number | undefined;
  readonly fingerprint: string;
}

/** Reads every source. One that cannot be read fails the whole: a snapshot without it would be taken for the newest. */
export async function gather(context: RunContext, { repositories, kubernetes, states }: ConfigurationConfig, options: GitRun): Promise<Gathered> {
  const files = new Map<string, string | Buffer>();
  const refs = new Map<string, Refs>();
  for (const repository of repositories) {
    context.report({ step: `look at the repository ${repository.name}` });
    refs.set(repository.name, await refsOf(repository, options));
  }
  let objects: number | undefined;
  if (kubernetes !== undefined) {
    context.report({ step: "read the cluster's manifests" });
    const manifests = await readManifests(kubernetes, options.signal);
    objects = manifests.objects;
    for (const [name, text] of manifests.files) files.set(`${folders.manifests}/${name}`, text);
  }
  for (const state of states) {
    context.report({ step: `read Pulumi's states in ${state.name}` });
    for (const [name, bytes] of await readStates(state, options.signal)) files.set(`${folders.states}/${state.name}/${name}`, bytes);
  }
  const digests = Object.fromEntries([...files].map(([path, content]): [string, string] => [path, sha256(content)]));
  return { files, refs, objects, fingerprint: fingerprintOf({ repositories: Object.fromEntries([...refs].map(([name, found]) => [name, { refs: digestOf(found) }])), files: digests }) };
}

/** Writes all of it into a folder, with a bundle of each repository, and says what is in it. */
export async function writeContents(context: RunContext, config: ConfigurationConfig, gathered: Gathered, folder: string, options: GitRun): Promise<Contents> {
  for (const [path, content] of gathered.files) {
    await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, path), content, { mode: 0o600 });
  }
  const repositories: Record<string, KeptRepository> = {};
  await mkdir(join(folder, folders.repositories), { recursive: true, mode: 0o700 });
  for (const repository of config.repositories) {
    const { name } = repository;
    if (gathered.refs.get(name)?.size === 0) {
      repositories[name] = { refs: digestOf(new Map()), count: 0 };
      continue;
    }
    context.report({ step: `bundle the repository ${name}` });
    const bundle = `${folders.repositories}/${name}.bundle`;
    const refs = await writeBundle(repository, join(folder, bundle), `${folder}.clones`, options);
    repositories[name] = { refs: digestOf(refs), count: refs.size, bundle };
  }
  const files = await digestsOf(folder);
  return { fingerprint: fingerprintOf({ repositories, files }), files, repositories, ...(gathered.objects === undefined ? {} : { objects: gathered.objects }) };
}
