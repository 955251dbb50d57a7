import { execFileSync } from "node:child_process";
import { stat } from "node:fs/promises";
import { DrError } from "../errors.ts";
import type { OsUser } from "./process.ts";

export const isRoot = (): boolean => process.getuid?.() === 0;

/** The account `name` of this machine. */
export function userNamed(name: string): OsUser {
  try {
    const id = (flag: string) => Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim());
    return { name, uid: id("-u"), gid: id("-g") };
  } catch (cause) {
    throw new DrError({ kind: "unavailable", what: `this machine has no user ${name}`, where: "the user database", todo: "Install PostgreSQL's packages, which make it, or name another user in the configuration.", cause });
  }
}

/**
 * Who runs PostgreSQL's programs: PostgreSQL refuses root, so root gives the work to `name`; anybody else does it
 * himself (`undefined`: no change of user).
 */
export const databaseUser = (name = "postgres"): OsUser | undefined => (isRoot() ? userNamed(name) : undefined);

/** The owner of a file or folder, to run as where we are root. */
export async function ownerOf(path: string): Promise<OsUser | undefined> {
  if (!isRoot()) return undefined;
  const { uid, gid } = await stat(path);
  return { name: String(uid), uid, gid };
}
