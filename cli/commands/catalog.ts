import { resolve } from "node:path";
import type { Command } from "commander";
import { plural } from "../../drill/report/counts.ts";
import { textTable } from "../../drill/report/text-table.ts";
import { formatSize } from "../../plan/units.ts";
import type { CatalogListing } from "../../runner/catalog/catalog.ts";
import { outcomeOf, type BackupRecord } from "../../runner/catalog/record.ts";
import type { Download } from "../../runner/download.ts";
import { exitCodes } from "../../runner/errors.ts";
import { restorePointKind } from "../../runner/stores/postgres/details.ts";
import { verificationIn, verificationKind } from "../../runner/verification-record.ts";
import type { CliContext } from "../context.ts";
import { parseTime } from "../options/time.ts";
import { renderCopies } from "../render/copies.ts";
import { renderProblems } from "../render/problems.ts";

interface ListOptions {
  readonly store?: string;
  readonly kind?: string;
  readonly since?: Date;
  readonly until?: Date;
}

/** `dr catalog list | show | download` */
export function registerCatalog(program: Command, context: CliContext): void {
  const catalog = program.command("catalog").description("what was backed up, and where each copy is");
  catalog
    .command("list")
    .description("every record, the newest last")
    .option("--store <name>", "only of this store")
    .option("--kind <name>", "only of this kind, e.g. snapshot")
    .option("--since <time>", "only those that began at this time or later (UTC unless it has a zone)", parseTime)
    .option("--until <time>", "only those that began at this time or earlier", parseTime)
    .action(async (options: ListOptions) => {
      const { store, kind, since, until } = options;
      const listing = await (await context.openRun()).catalog.list({ ...(store === undefined ? {} : { store }), ...(kind === undefined ? {} : { kind }), ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) });
      context.print(renderList(listing), listing);
      if (listing.problems.length > 0) context.setExitCode(exitCodes.partial);
    });
  catalog
    .command("show")
    .description("one record as a whole, with the address of each copy")
    .argument("<backup>", "an id of the catalog, or latest")
    .option("--store <name>", "with latest: of this store")
    .action(async (backup: string, { store }: { readonly store?: string }) => {
      const record = await (await context.openRun()).catalog.find(backup, store === undefined ? {} : { store });
      context.print(renderRecord(record), record);
    });
  catalog
    .command("download")
    .description("fetch a backup's objects, from whichever copy has the record's sha256")
    .argument("<backup>", "an id of the catalog, or latest")
    .requiredOption("--to <dir>", "where to; nothing in it is overwritten")
    .option("--store <name>", "with latest: of this store")
    .option("--decrypt", "write what the OpenPGP messages hold", false)
    .action(async (backup: string, { to, store, decrypt }: { readonly to: string; readonly store?: string; readonly decrypt: boolean }) => {
      const run = await context.openRun();
      const record = await run.catalog.find(backup, store === undefined ? {} : { store });
      const { downloadBackup } = await import("../../runner/download.ts");
      const result = await downloadBackup(run, record, { to: resolve(to), decrypt });
      context.print(renderDownload(result), result);
    });
}

function outcomeText(record: BackupRecord): string {
  if (record.kind === restorePointKind) return "mark"; // a name for a moment in the WAL: no copy could have failed
  if (record.kind !== verificationKind) return outcomeOf(record);
  const verification = verificationIn(record);
  return verification === undefined ? "unreadable" : verification.ok ? "good" : "NOT GOOD";
}

function renderList({ records, problems }: CatalogListing): string {
  const rows = records.map((record) => [
    record.id,
    record.watermark.time.replace("T", " ").replace(/\.\d+Z$/, "Z"),
    formatSize(record.sourceBytes),
    outcomeText(record),
    record.copies.map((copy) => (copy.status === "ok" ? copy.backend : `${copy.backend} failed`)).join(", "),
  ]);
  const table = textTable([{ title: "backup" }, { title: "reaches to" }, { title: "size", align: "right" }, { title: "outcome" }, { title: "copies" }], rows, 120);
  return [...(rows.length === 0 ? [] : table), plural(rows.length, "record"), ...renderProblems(problems)].join("\n");
}

function renderRecord(record: BackupRecord): string {
  const { lsn, timeline } = record.watermark;
  return [
    record.id,
    `  store ${record.store}, kind ${record.kind}, outcome ${outcomeText(record)}`,
    `  from ${record.startedAt} to ${record.finishedAt}`,
    `  reaches to ${record.watermark.time}${lsn === undefined ? "" : `, LSN ${lsn}`}${timeline === undefined ? "" : `, timeline ${timeline}`}`,
    `  ${formatSize(record.sourceBytes)} of data, encryption ${record.encryption}, ${record.expiresAt === null ? "never expires" : `may expire at ${record.expiresAt}`}`,
    ...(record.copies.length === 0 ? [] : ["copies:", ...renderCopies(record.copies)]),
    ...(record.objects.length === 0 ? [] : ["objects:", ...record.objects.map(({ key, bytes, sha256 }) => `  ${key} (${formatSize(bytes)}, sha256 ${sha256})`)]),
    `tools: ${Object.entries(record.tools).map(([name, version]) => `${name} ${version}`).join(", ") || "none named"}`,
    `details: ${JSON.stringify(record.details)}`,
  ].join("\n");
}

function renderDownload({ backup, files }: Download): string {
  return [
    `${backup}: ${plural(files.length, "file")}`,
    ...files.flatMap(({ path, bytes, from, sha256, rejected }) => [`  ${path} (${formatSize(bytes)}) from ${from}, sha256 ${sha256} as recorded`, ...rejected.map(({ backend, error }) => `    not from ${backend}: ${error}`)]),
  ].join("\n");
}
