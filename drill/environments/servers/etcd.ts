import { join } from "node:path";
import { etcdConf, type EtcdMember } from "../../../plan/config/etcd.ts";
import type { Plan } from "../../../plan/types.ts";
import { makeFolder, writeDurably } from "../../../runner/system/files.ts";
import { startServer, type OsUser, type Server } from "../../../runner/system/process.ts";
import { findProgram } from "../../../runner/system/programs.ts";

export interface EtcdOptions {
  readonly plan: Plan;
  readonly member: EtcdMember;
  /** Every member, this one too. */
  readonly members: readonly EtcdMember[];
  readonly clusterToken: string;
  /** Everything of the member; made where it is missing. */
  readonly folder: string;
  readonly logFile: string;
  readonly user?: OsUser | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts one member. It has a leader only when a majority of `members` runs: see `etcdAnswers`. */
export async function startEtcd({ plan, member, members, clusterToken, folder, logFile, user, env }: EtcdOptions): Promise<Server> {
  const program = await findProgram("etcd");
  await makeFolder(folder, { owner: user });
  const dataDirectory = await makeFolder(join(folder, "data"), { owner: user });
  const file = join(folder, "etcd.yml");
  await writeDurably(file, etcdConf({ plan, member, members, dataDirectory, clusterToken }), { owner: user });
  return startServer(`etcd ${member.name}`, program, ["--config-file", file], { cwd: folder, env: { HOME: folder, ...env }, logFile, user });
}

/** Whether the member sees a leader; throws where it does not answer. */
export async function etcdAnswers(member: EtcdMember): Promise<boolean> {
  const answer = await fetch(`http://${member.address}:${member.clientPort}/health`, { signal: AbortSignal.timeout(2_000) });
  await answer.body?.cancel();
  return answer.ok;
}
