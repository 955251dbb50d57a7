import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { DrError, messageOf } from "../../runner/errors.ts";
import { writeDurably } from "../../runner/system/files.ts";
import { reportSchema, type DrillReport } from "./model.ts";
import { renderPage } from "./page.ts";

export interface WrittenReport {
  readonly json: string;
  readonly html: string;
}

const cannotWrite = (folder: string, cause: unknown, todo: string) => new DrError({ kind: "failed", what: `the report cannot be written: ${messageOf(cause)}`, where: folder, todo, cause });

/** Makes the folder and tries to write there, so that a drill does not find out after minutes. */
export async function prepareReportFolder(folder: string): Promise<void> {
  const probe = join(folder, ".probe");
  try {
    await mkdir(folder, { recursive: true });
    await writeDurably(probe, "");
    await rm(probe);
  } catch (cause) {
    throw cannotWrite(folder, cause, "Name a folder with room that you may write to with --out.");
  }
}

/**
 * Writes `report.json` and `report.html` into `folder`, which is made; each is there as a whole or not at all.
 * The data goes first: where the page fails, the figures stand. Throws a `DrError` that names the folder.
 */
export async function writeReport(folder: string, report: DrillReport): Promise<WrittenReport> {
  const paths = { json: join(folder, "report.json"), html: join(folder, "report.html") };
  try {
    await mkdir(folder, { recursive: true });
    await writeDurably(paths.json, `${JSON.stringify(report, undefined, 2)}\n`);
    // After the writing: a figure that is not one (NaN becomes null) must not cost the whole report.
    const checked = reportSchema.parse(JSON.parse(JSON.stringify(report)));
    await writeDurably(paths.html, renderPage(checked));
  } catch (cause) {
    throw cannotWrite(folder, cause, "Free space there, or name another folder with --out; where report.json stands, its figures are whole.");
  }
  return paths;
}
