/** What a pgBackRest that was killed may leave: its workers, which have the stanza's lock with them for as long as they live. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { killGroup } from "../../system/process.ts";
import { waitFor } from "../../system/wait.ts";

/** Seconds for processes that were killed to be gone, and their locks with them. */
const goneWithin = 10;

/**
 * Kills the workers of a backup of this stanza whose own process is gone, and says whether there were any. They are found
 * by their process group, which that one led: its number belongs to nobody else as long as one of them lives.
 */
export async function endOrphans(lockFolder: string, stanza: string): Promise<boolean> {
  const names = (await readdir(lockFolder)).filter((name) => name.startsWith(`${stanza}-backup`) && name.endsWith(".lock"));
  const texts = await Promise.all(names.map((name) => readFile(join(lockFolder, name), "utf8").catch(() => ""))); // gone: given back meanwhile
  const holders = texts.flatMap((text) => Number(/"pid":(\d+)/.exec(text)?.[1] ?? 0)).filter((pid) => pid > 1);
  let found = false;
  for (const holder of holders) {
    const orphans = (await groupOf(holder)).filter((pid) => pid !== holder);
    if ((await stateOf(holder)) !== undefined || orphans.length === 0) continue;
    killGroup(holder);
    await waitFor("the end of a killed backup's workers", async () => (await groupOf(holder)).length === 0, { within: goneWithin, every: 0.05 });
    found = true;
  }
  return found;
}

interface State {
  readonly group: number;
}

/** `undefined` where there is no such process, or only its end that nobody has asked about. */
async function stateOf(pid: number): Promise<State | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [state = "", , group = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return stat === "" || state === "Z" || state === "X" ? undefined : { group: Number(group) };
}

async function groupOf(leader: number): Promise<number[]> {
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 1);
  const states = await Promise.all(pids.map(async (pid) => ({ pid, state: await stateOf(pid) })));
  return states.flatMap(({ pid, state }) => (state?.group === leader ? [pid] : []));
}
