import { tmpdir } from "node:os";
import { messageOf } from "../runner/errors.ts";
import { findDrills, isOwnerAlive, nameLeftovers, removeDrill } from "./environments/local/leftovers.ts";

export interface SweepResult {
  /** Drills whose leftovers were removed. */
  readonly removed: readonly string[];
  /** Drills that still run: left alone. */
  readonly running: readonly string[];
  /** What could not be removed, by name. */
  readonly leftovers: readonly string[];
}

/** Where drills have their folders: short, because Unix sockets are in them. */
export const drillsFolder = tmpdir;

/** Removes what killed drills left on this machine: processes, mounts, folders. A drill that runs is left alone. */
export async function sweep(parent = drillsFolder()): Promise<SweepResult> {
  const removed: string[] = [];
  const running: string[] = [];
  const leftovers: string[] = [];
  for (const drill of await findDrills(parent)) {
    if (await isOwnerAlive(drill)) {
      running.push(drill.id);
      continue;
    }
    // One that cannot be removed, as it is another user's, keeps no other one here.
    const left = await removeDrill(drill.root, drill.id).then(nameLeftovers, (error: unknown) => [`${drill.root}: ${messageOf(error)}`]);
    if (left.length === 0) removed.push(drill.id);
    leftovers.push(...left);
  }
  return { removed, running, leftovers };
}
