import { resolve } from "node:path";
import type { Command } from "commander";
import { formatDuration, formatSize } from "../../plan/units.ts";
import { DrError } from "../../runner/errors.ts";
import type { BackupChoice } from "../../runner/stores/redis/choose.ts";
import type { RedisRecovery } from "../../runner/stores/redis/recover.ts";
import type { CliContext } from "../context.ts";
import { parsePort } from "../options/port.ts";
import { parseTime } from "../options/time.ts";

interface RecoverOptions {
  readonly into?: string;
  readonly at?: Date;
  readonly port?: number;
  readonly socket?: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** `dr recover redis <backup|latest> --into DIR` */
export function registerRecoverRedis(recover: Command, context: CliContext): void {
  recover
    .command("redis")
    .description("recover a snapshot of Redis as a server of its own, on a socket")
    .argument("[backup]", "an id of the catalog, or latest", "latest")
    .option("--into <dir>", "the new server's directory, empty or absent")
    .option("--at <time>", "the newest snapshot that reaches no further than this (UTC unless it has a zone)", parseTime)
    .option("--port <n>", "listen on 127.0.0.1 too, with a password of its own", parsePort)
    .option("--socket <path>", "where the socket goes (default: redis.sock in the directory)", (path: string) => resolve(path))
    .option("--force", "move aside what is in the directory", false)
    .option("--dry-run", "say which backup it would be, and do nothing", false)
    .action(async (backup: string, options: RecoverOptions) => {
      if (options.at !== undefined && backup !== "latest") throw new DrError({ kind: "usage", what: "a backup and a time are two different questions", where: `${backup} --at ${options.at.toISOString()}`, todo: "Name the one or the other." });
      const choice: BackupChoice = options.at === undefined ? backup : { at: options.at };
      const run = await context.openRun();
      if (options.dryRun) {
        const { chooseSnapshot } = await import("../../runner/stores/redis/choose.ts");
        const record = await chooseSnapshot(run, choice);
        context.print(`would recover ${record.id} (${formatSize(record.sourceBytes)}), which reaches to ${record.watermark.time}`, { dryRun: true, backup: record.id, recoveredTo: record.watermark.time, bytes: record.sourceBytes });
        return;
      }
      const into = options.into;
      if (into === undefined) throw new DrError({ kind: "usage", what: "nothing says where the recovered server's files go", where: "--into", todo: "Name an empty directory with --into." });
      const { port: tcp, socket } = options;
      const { recoverRedis } = await import("../../runner/stores/redis/recover.ts");
      const result = await recoverRedis(run, { backup: choice, into: resolve(into), force: options.force, ...(tcp === undefined ? {} : { port: tcp }), ...(socket === undefined ? {} : { socket }) });
      context.print(render(result), result);
    });
}

function render(result: RedisRecovery): string {
  const { download, check, load, total } = result.seconds;
  return [
    `recovered ${result.backup} to ${result.recoveredTo}: ${result.keys} keys, ${formatSize(result.bytes)}, from ${result.from}`,
    ...(result.expired > 0 ? [`${result.expired} keys have expired since`] : []),
    ...result.rejected.map(({ backend, error }) => `not from ${backend}: ${error}`),
    ...(result.setAside === undefined ? [] : [`what was there is in ${result.setAside}`]),
    `process ${result.pid}, socket ${result.socket}${result.port === undefined ? "" : `, port ${result.port}, password in ${result.passwordFile ?? "no file"}`}`,
    `download ${formatDuration(download)}, check ${formatDuration(check)}, load ${formatDuration(load)}, in all ${formatDuration(total)}`,
  ].join("\n");
}
