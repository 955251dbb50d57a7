import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import type { Progress } from "../../runner/context.ts";
import { DrError, messageOf } from "../../runner/errors.ts";
import { databaseUser, isRoot } from "../../runner/system/user.ts";
import { lookUpProgram } from "../../runner/system/programs.ts";
import { holdNamespace } from "../environments/local/isolation.ts";
import { countLeftovers, nameLeftovers, removeDrill, writeMark } from "../environments/local/leftovers.ts";
import { RunRecorder } from "../recorder.ts";
import type { DrillReport } from "../report/model.ts";
import { drillsFolder } from "../sweep.ts";
import { toolVersions } from "../tools.ts";
import { askQueries } from "./queries.ts";
import { sourceRepository } from "./repository.ts";
import { choose, restore, startRestored, type SourcePlace } from "./restore.ts";

export interface SourceOptions {
  /** A folder, or `s3://bucket/path`. */
  readonly source: string;
  readonly sourceConfig?: string;
  readonly stanza?: string;
  readonly backup?: string;
  readonly database?: string;
  /** Integrity queries; one that fails, or whose first value is false, fails the drill. */
  readonly query: readonly string[];
}

async function readConfiguration(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new DrError({ kind: "usage", what: `the repository's configuration cannot be read: ${messageOf(cause)}`, where: path, todo: "Name pgBackRest's configuration file by --source-config, as a user who may read it.", cause });
  });
}

/** Restores somebody's own repository into an isolated server, asks his questions, measures, removes everything. */
export async function drillSource(name: string, options: SourceOptions, signal: AbortSignal, report: (progress: Progress) => void): Promise<DrillReport> {
  const repository = sourceRepository(options.source, await readConfiguration(options.sourceConfig), options.stanza);
  const startedAt = new Date();
  const run = new RunRecorder("source", "region", "warm", report);
  const root = join(drillsFolder(), name);
  let size = 0;
  await mkdir(root, { mode: 0o711 });
  try {
    await writeMark(root, name);
    const place: SourcePlace = { root, user: databaseUser(), drill: name, signal, networkNamespace: undefined };
    const isolated = await run.steps.step("provision", "an isolated place", async () => ({ ...place, networkNamespace: await isolate(run, place, repository.remote) }));
    await run.strike("the servers are taken as lost; only the repository is there", () => Promise.resolve());
    const chosen = await run.steps.step("detect", "look into the repository", () => choose(isolated, repository, options));
    run.detected(new Date());
    size = chosen.bytes;
    run.show("backup", `${chosen.label} of stanza ${chosen.stanza}, PostgreSQL ${chosen.version}, ${new Date(chosen.stoppedAt).toISOString()}`, true);
    await run.steps.step("recover", "restore the files", (progress) => restore(isolated, chosen, progress));
    const server = await run.steps.step("recover", "replay the WAL and promote", () => startRestored(isolated, chosen));
    const client = new Client({ host: server.socketDirectory, port: server.port, user: "postgres", database: options.database ?? "postgres", connectionTimeoutMillis: 5_000 });
    client.on("error", () => undefined); // the query that is under way rejects with the same error
    await client.connect();
    try {
      await run.steps.step("validate", "ask the integrity queries", () => askQueries(client, options.query, run));
      const reached = await lastCommit(client);
      const lost = reached === undefined ? 0 : Math.max(0, (startedAt.getTime() - reached.getTime()) / 1_000);
      run.show("age of the newest commit that was recovered", reached === undefined ? "the WAL held no commit" : `${lost.toFixed(1)} s: an upper bound of the loss, as the owner may have been idle`, true);
      run.recovered({ store: "postgres", rpoSeconds: lost, acknowledgedLost: 0, recoveredTo: reached?.toISOString() ?? new Date(chosen.stoppedAt).toISOString(), recoveredFrom: repository.where }, new Date());
    } finally {
      await client.end();
    }
  } catch (error) {
    run.fail(error);
    if (error instanceof DrError && error.kind === "usage") throw error;
  } finally {
    await run.steps.step("destroy", "destroy everything", () => removeDrill(root, name)).catch((error: unknown) => run.fail(error));
  }
  const left = await removeDrill(root, name);
  const result = run.toRun();
  return {
    passed: result.passed && countLeftovers(left) === 0, environment: "source", leftovers: countLeftovers(left), leftoverNames: nameLeftovers(left), skipped: [],
    scale: { intervals: 1, agents: 0, databaseBytes: size, explanation: `A repository that the drill did not make: ${repository.where}. Nothing is scaled, and nothing was promised for it.` },
    runs: [result], name, startedAt: startedAt.toISOString(), finishedAt: new Date().toISOString(), tools: { ...(await toolVersions()) },
  };
}

/** A folder needs no network at all; a bucket needs the machine's. */
async function isolate(run: RunRecorder, { root, drill }: SourcePlace, remote: boolean): Promise<number | undefined> {
  if (!remote && isRoot() && (await lookUpProgram("ip")) !== undefined) {
    run.show("the recovery's network", "none: a namespace with nothing but its loopback", true);
    return (await holdNamespace(root, drill, join(root, "isolation.log"))).pid;
  }
  run.show("the recovery's network", remote ? "this machine's, as the repository is reached through it; no address of the owner's servers is configured" : "this machine's: only root can make a network namespace", true);
  return undefined;
}

/** When the newest transaction was committed that the recovery replayed. */
async function lastCommit(client: Client): Promise<Date | undefined> {
  const { rows } = await client.query<{ at: Date | null }>("select pg_last_xact_replay_timestamp() as at");
  return rows[0]?.at ?? undefined;
}
