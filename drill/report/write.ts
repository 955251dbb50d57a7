import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DrError, messageOf } from "../../runner/errors.ts";
import { writeDurably } from "../../runner/system/files.ts";
import { reportSchema, type DrillReport } from "./model.ts";
import { renderPage } from "./page.ts";

export interface WrittenReport {
  readonly json: string;
  readonly html: string;
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
    throw new DrError({ kind: "failed", what: `the report cannot be written: ${messageOf(cause)}`, where: folder, todo: "Name a folder with room that you may write to with --out; what was measured is printed above.", cause });
  }
  return paths;
}
