import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../../runner/system/process.ts";
import { marker, type House } from "../job.ts";
import { openHouse, type Site } from "./site.ts";

/** Files that a repository begins with. */
const files = 200;

export async function configurationHouse(site: Site, name = "configuration"): Promise<House> {
  const repository = join(site.folder, name, "repository");
  const state = join(site.folder, name, "state");
  const stacks = join(state, ".pulumi", "stacks", "dr");
  await mkdir(repository, { recursive: true });
  await mkdir(stacks, { recursive: true });
  const git = async (...args: string[]): Promise<unknown> =>
    run("git", ["-C", repository, "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "-c", "gc.auto=0", ...args], { deadline: 60, env: { GIT_CONFIG_GLOBAL: "/dev/null" } });
  await git("init", "--quiet");
  for (let file = 0; file < files; file += 1) await writeFile(join(repository, `file-${file}`), `${marker} ${String(file).repeat(2_000)}`);
  let runs = 0;
  const change = async (): Promise<void> => {
    runs += 1;
    await writeFile(join(repository, "file-0"), `${marker} ${runs}`);
    await git("add", ".");
    await git("commit", "--quiet", "-m", `run ${runs}`);
    await writeFile(join(stacks, "primary.json"), JSON.stringify({ version: 3, checkpoint: { stack: "primary", latest: { resources: [{ outputs: { note: marker, runs } }] } } }));
  };
  return openHouse(site, {
    name, config: { configuration: { repositories: [{ name: "plans", source: repository }], states: [{ kind: "folder", name: "pulumi", path: state }] } },
    jobs: () => [{ store: "configuration", name: "configuration snapshot", command: ["backup", "config", "snapshot"], makes: { store: "configuration", kind: "snapshot" }, change }],
  });
}
