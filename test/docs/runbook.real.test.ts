import { readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registerAll } from "../../cli/commands/all.ts";
import { escrowText, readRecipients, seal } from "../../components/access/escrow.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { watchdog } from "../../plan/config/prometheus-rules.ts";
import { formatDuration } from "../../plan/units.ts";
import { DrError } from "../../runner/errors.ts";
import { killGroup, run } from "../../runner/system/process.ts";
import { findProgram } from "../../runner/system/programs.ts";
import { databaseUser } from "../../runner/system/user.ts";
import { waitFor } from "../../runner/system/wait.ts";
import { runCommand, type CommandResult } from "../cli/run-command.ts";
import { agentName } from "../harness/agents.ts";
import { commandProblem } from "../harness/commands.ts";
import { startProtectedSystem, type ProtectedSystem } from "../harness/protected-system.ts";
import { recipient } from "../harness/recipients.ts";
import { temporaryFolder } from "../harness/temporary.ts";

const runbook = readFileSync(join(import.meta.dirname, "..", "..", "docs", "runbook.md"), "utf8");
/** What stands in fences, a command a line; the same command twice is run once. */
const lines = [...new Set([...runbook.matchAll(/^ *```\n([\s\S]*?)^ *```$/gm)].flatMap(([, block = ""]) => block.trim().split("\n").map((line) => line.trim())))];

/** A server is needed that this test does not start: the command is read up to the work itself. Its own tests run it. */
const parsedOnly = (needs: string) => ({ needs });
/** It ends with 0, and what it tells looks like this. */
const shows = (what: RegExp) => ({ what });

/** Every command of the runbook; the test fails over one that is missing here, and over one that is not in the runbook. */
const table: Readonly<Record<string, { readonly what: RegExp } | { readonly needs: string }>> = {
  "dr init": shows(/r2/),
  "dr backup all": shows(/is recovered to it with `dr recover pitr --name/),
  "dr status": shows(/newest WAL in the bucket/),
  "dr plan": shows(/Objectives: what is lost/),
  "dr catalog list": shows(/redis-snapshot/),
  "dr catalog list --store system --kind recovery-point": shows(/1 record/),
  'dr catalog show "$BACKUP"': shows(/reaches to/),
  'dr verify "$BACKUP"': shows(/every copy good/),
  "dr verify latest --store postgres": shows(/every copy good/),
  "dr expire --pause 4h": shows(/nothing expires until/),
  "dr expire --dry-run": shows(/0 records would be removed/),
  "dr expire --resume": shows(/backups expire again/),
  'dr recover full --into "$INTO" --dry-run': shows(/recovery point .*\n1\. postgres/),
  'dr recover full --into "$INTO"': shows(/the journal is .*recovery-.*json/),
  'dr recover full --into "$INTO" --at "$TIME" --dry-run': shows(/recovery point/),
  'dr recover full --into "$INTO" --backend "$BACKEND" --dry-run': shows(/recovery point/),
  'dr recover full --into "$INTO" --newest-per-store --dry-run': shows(/the newest backup of each store/),
  'dr recover full --into "$INTO" --without vault vectors --dry-run': shows(/recovery point/),
  'dr recover full --into "$INTO" --backend "$BACKEND" --without vault vectors --dry-run': shows(/recovery point/),
  'dr recover full --into "$INTO" --tier cold --dry-run': shows(/the cold tier allows/),
  'dr recover postgres latest --into "$INTO" --dry-run': shows(/latest/),
  'dr recover pitr "$TIME" --into "$INTO" --dry-run': shows(/target/),
  'dr recover pitr --xid "$XID" --into "$INTO" --dry-run': shows(/target/),
  'dr recover pitr --lsn "$LSN" --into "$INTO" --dry-run': shows(/target/),
  'dr recover pitr --name "$POINT" --into "$INTO" --dry-run': shows(/target/),
  'dr recover pitr "$TIME" --into "$INTO"': shows(/socket/),
  'dr recover redis latest --at "$TIME" --into "$INTO" --dry-run': shows(/would recover/),
  'dr recover redis latest --at "$TIME" --into "$INTO"': shows(/20 keys/),
  'dr recover agent "$AGENT" --at "$TIME" --dry-run': shows(/would recover 1 agents/),
  'dr recover agent "$AGENT" --at "$TIME"': shows(/recovered 1 agents/),
  'dr recover agents --at "$TIME"': shows(/recovered 20 agents/),
  'dr recover config latest --into "$INTO"': shows(/brought back/),
  'dr recover vault latest --to "$VAULT" --ca "$CA" --dry-run': parsedOnly("Vault"),
  'dr recover vault latest --to "$VAULT" --ca "$CA"': parsedOnly("Vault"),
  'dr recover vectors latest --node "$NODE" --dry-run': parsedOnly("Qdrant"),
  'dr recover vectors latest --node "$NODE"': parsedOnly("Qdrant"),
  'dr recover objects --at "$TIME" --dry-run': parsedOnly("two S3 servers and rclone"),
  'dr recover objects --at "$TIME"': parsedOnly("two S3 servers and rclone"),
  'dr recover metrics latest --into "$INTO"': parsedOnly("Prometheus"),
  'dr recover logs --from "$SINCE" --to "$TIME" --into "$INTO"': parsedOnly("a log shipper"),
  'dr secrets open-escrow "$ESCROW" --key "$KEY" --into "$SECRETS"': shows(/runner: opens every backup outside pgBackRest/),
  'dr storage rescue --backend "$BACKEND" --at "$TIME" --to "$CLEAN" --dry-run': parsedOnly("two S3 servers"),
  'dr storage rescue --backend "$BACKEND" --at "$TIME" --to "$CLEAN"': parsedOnly("two S3 servers"),
  'dr recover archive latest --into "$INTO" --tier standard --dry-run': parsedOnly("a Glacier vault"),
};
/** Of a program that is not ours: runbook-tools.real.test.ts runs it. */
const others = ['gpg --decrypt "$ESCROW"'];

/** A line as a shell would split it, its placeholders replaced. */
const wordsOf = (line: string, values: Readonly<Record<string, string>>): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare = ""]) => (quoted ?? bare).replaceAll(/\$([A-Z]+)/g, (_, name: string) => values[name] ?? `no value for $${name}`));

describe("the runbook", () => {
  it("has no command that this test does not know, and this test none that it has not", () => {
    expect(lines.toSorted()).toEqual([...Object.keys(table), ...others].toSorted());
  });

  it("explains each placeholder", () => {
    const used = new Set([...lines.join("\n").matchAll(/\$[A-Z]+/g)].map(([name]) => name));
    const explained = runbook.split("## 1. Assess")[0] ?? "";
    expect([...used].filter((name) => !explained.includes(`\`${name}\``))).toEqual([]);
  });

  it("names no command or option in its sentences that there is not", () => {
    const named = [...runbook.matchAll(/`(dr [a-z][^`]*)`/g)].map(([, text = ""]) => text);
    expect(named.length).toBeGreaterThan(5);
    expect(named.flatMap((text) => commandProblem(text) ?? [])).toEqual([]);
  });

  it("has a section for each alert, which links to it by its name", () => {
    expect([...runbook.matchAll(/^### (\w+)$/gm)].map(([, name]) => name).toSorted()).toEqual([...new Set(blackroad.alerts.map(({ name }) => name)), watchdog].toSorted());
  });

  it("promises what the plan promises", () => {
    const { tiers, system } = blackroad;
    for (const [tier, { rto }] of Object.entries(tiers)) expect(runbook).toMatch(new RegExp(`\\| ${tier} \\|.*\\| ${formatDuration(rto)} \\|`));
    expect(runbook).toContain(`the system promises ${formatDuration(system.rpo)}`);
    expect(runbook).toContain(`the system promises ${formatDuration(system.rto)}`);
  });
});

describe("a command of the runbook", () => {
  let repository: Awaited<ReturnType<typeof temporaryFolder>>;
  let system: ProtectedSystem;
  let values: Record<string, string>;
  let recoveries = 0;
  /** Played before the others, which need what they make. */
  const first = new Map<string, Played>();

  beforeAll(async () => {
    repository = await temporaryFolder("runbook-repository");
    await run("git", ["init", "--quiet", repository.path], { deadline: 30, env: { GIT_CONFIG_GLOBAL: "/dev/null" } });
    system = await startProtectedSystem("runbook", 20, { configuration: { repositories: [{ name: "plans", source: repository.path }], states: [] } });
    values = {};
    for (const line of ["dr init", "dr backup all", "dr status"]) first.set(line, await play(line));
    await play("dr backup config snapshot");
    const { records } = await system.context.catalog.list();
    const idOf = (store: string) => records.find((record) => record.store === store)?.id ?? `no backup of ${store}`;
    // pgBackRest's clock has whole seconds: a time must lie a second behind the backup.
    const begun = Date.now();
    await waitFor("another second", () => Date.now() - begun > 1_100, { within: 5, every: 0.05 });
    const ask = async (sql: string) => (await system.client.query<{ value: string }>(`select (${sql})::text as value`)).rows[0]?.value ?? "";
    await system.client.query("create table incident (id int)");
    const time = await ask("clock_timestamp() at time zone 'UTC'");
    const xid = await ask("pg_current_xact_id()");
    const lsn = await ask("pg_current_wal_lsn()");
    await system.client.query("insert into incident values (1)");
    await ask("pg_switch_wal()");
    await waitFor("the incident's WAL in the archive", async () => (await ask(`select last_archived_wal >= pg_walfile_name('${lsn}') from pg_stat_archiver`)) === "true", { within: 120, every: 0.1 });
    values = { BACKUP: idOf("redis"), POINT: idOf("system"), TIME: time.slice(0, 23), SINCE: "2026-11-22 10:00:00", XID: xid, LSN: lsn, AGENT: agentName(7), BACKEND: "r2", VAULT: "https://vault.example:8200", CA: join(system.folder, "ca.crt"), NODE: "https://qdrant.example:6333", CLEAN: "clean", ...(await escrowIn(system.folder)) };
  });
  afterAll(async () => {
    await system.close();
    await repository.remove();
  });

  interface Played extends CommandResult {
    readonly into: string;
  }

  /** As an operator would type it, into a folder of its own; a refusal is a result too. */
  async function play(line: string): Promise<Played> {
    const into = join(system.folder, `recovered-${(recoveries += 1)}`);
    const result = await runCommand(registerAll, system.context, wordsOf(line, { ...values, INTO: into }).slice(1)).catch((error: unknown): CommandResult => {
      if (error instanceof DrError) return { human: error.message, data: undefined, exitCode: error.exitCode };
      throw error;
    });
    return { ...result, into };
  }

  it.each(Object.entries(table).flatMap(([line, how]) => ("what" in how ? [[line, how] as const] : [])))("does what it should: %s", async (line, { what }) => {
    const { human, exitCode, into } = first.get(line) ?? (await play(line));
    await stopServersIn(into);
    expect(human).toMatch(what);
    expect(exitCode).toBe(0);
  });

  it.each(Object.entries(table).flatMap(([line, how]) => ("needs" in how ? [[line, how.needs] as const] : [])))("is parsed only, up to its work: %s (needs %s)", async (line) => {
    class Reached extends Error {}
    const atWork = () => Promise.reject(new Reached("here its work would begin"));
    const words = wordsOf(line, { ...values, INTO: join(system.folder, "parsed") }).slice(1);
    await expect(runCommand((program, context) => registerAll(program, { ...context, openRun: atWork }), system.context, words)).rejects.toThrow(Reached);
  });
});

/** What one of the escrow's recipients has before them. */
async function escrowIn(folder: string): Promise<{ readonly ESCROW: string; readonly KEY: string; readonly SECRETS: string }> {
  const [ada, ben] = [await recipient("ada"), await recipient("ben")];
  const files = { ESCROW: join(folder, "escrow.asc"), KEY: join(folder, "ada.asc"), SECRETS: join(folder, "secrets") };
  await writeFile(files.ESCROW, await seal(escrowText(blackroad, [{ name: "runner", opens: "every backup outside pgBackRest", value: "swordfish" }]), await readRecipients([ada.publicKey, ben.publicKey])));
  await writeFile(files.KEY, ada.privateKey, { mode: 0o600 });
  return files;
}

/** What a recovery started is left running for an operator. */
async function stopServersIn(into: string): Promise<void> {
  for (const folder of [into, join(into, "redis")]) {
    const pid = Number(await readFile(join(folder, "redis.pid"), "utf8").catch(() => "0"));
    if (pid > 0) killGroup(pid);
  }
  for (const folder of [into, join(into, "postgres")]) {
    if (!(await readdir(folder).catch((): string[] => [])).includes("postmaster.pid")) continue;
    const { stdout } = await run("bash", ["-c", "ls -d /usr/lib/postgresql/*/bin | tail -1"], { deadline: 10 });
    await run(await findProgram("pg_ctl", stdout.trim()), ["stop", "-m", "immediate", "-D", folder], { deadline: 60, accept: [0, 1], cwd: "/", user: databaseUser() });
  }
}
