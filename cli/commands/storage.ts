import type { Command } from "commander";
import { formatDuration, formatSize } from "../../plan/units.ts";
import { DrError, exitCodes } from "../../runner/errors.ts";
import type { RescueDestination } from "../../runner/storage/rescue/places.ts";
import type { Rescue } from "../../runner/storage/rescue/rescue.ts";
import type { CliContext } from "../context.ts";
import { parseTime } from "../options/time.ts";

interface RescueOptions {
  readonly backend: string;
  readonly at: Date;
  readonly to?: string;
  readonly into?: string;
  readonly dryRun: boolean;
}

/** `dr storage rescue` */
export function registerStorage(program: Command, context: CliContext): void {
  program
    .command("storage")
    .description("what lies in a backend, whoever put it there")
    .command("rescue")
    .description("copy a backend as it was at a time to a clean place, from the versions that a thief could not take away; again: it goes on")
    .requiredOption("--backend <name>", "the backend that was attacked; credentials that list and read its versions are enough")
    .requiredOption("--at <time>", "before the first misuse (UTC unless it has a zone)", parseTime)
    .option("--to <backend>", "an empty bucket, a backend of the configuration")
    .option("--into <dir>", "instead: a folder, empty or absent")
    .option("--dry-run", "say how much it is and how long reading it takes, and copy nothing", false)
    .action(async ({ backend, at, to, into, dryRun }: RescueOptions) => {
      const { rescueStorage } = await import("../../runner/storage/rescue/rescue.ts");
      const result = await rescueStorage(await context.openRun(), { backend, at, to: destinationOf(to, into), dryRun });
      context.print(render(result), result);
      if (result.unsaved.count > 0) context.setExitCode(exitCodes.partial);
    });
}

function destinationOf(backend: string | undefined, folder: string | undefined): RescueDestination {
  if (backend !== undefined && folder === undefined) return { backend };
  if (folder !== undefined && backend === undefined) return { folder };
  throw new DrError({ kind: "usage", what: backend === undefined ? "nothing says where the copy goes" : "the copy can only go to one place", where: "--to, --into", todo: "Name an empty bucket (--to, a backend of the configuration) or a folder (--into)." });
}

const count = (value: number): string => value.toLocaleString("en");
const amount = ({ objects, bytes }: { readonly objects: number; readonly bytes: number }): string => `${count(objects)} objects, ${formatSize(bytes)}`;

function render(result: Rescue): string {
  const { found, unsaved, dryRun } = result;
  return [
    `${result.backend} as it was at ${result.at}: ${amount(found)}`,
    ...Object.entries(found.folders).map(([folder, each]) => `  ${folder} ${amount(each)}`),
    `not of that time: ${count(found.later)} keys written since, ${count(found.deleted)} deleted before`,
    ...(found.keepsVersions ? [] : ["the store keeps no versions: what was overwritten since is gone, and what is above is what nobody wrote to"]),
    ...(dryRun ? plannedLines(result) : doneLines(result)),
    ...(unsaved.count === 0 ? [] : [`NOT SAVED: ${count(unsaved.count)}${unsaved.file === undefined ? "" : `, all of them in ${unsaved.file}`}`, ...unsaved.some.map(({ key, why, record }) => `  ${key}${record === undefined ? "" : ` (of ${record})`}: ${why}`)]),
  ].join("\n");
}

function plannedLines({ to, found, estimate }: Rescue): string[] {
  if (estimate === undefined) return [];
  const rate = estimate.bytesPerSecond === undefined ? "too little to measure a rate by" : `${formatSize(estimate.bytesPerSecond)}/s`;
  return [
    ...(found.lost === 0 ? [] : [`${count(found.lost)} keys are gone for good: only a deletion since then is left of them`]),
    `would copy all of it to ${to}: about ${formatDuration(estimate.seconds)} of reading, as ${count(estimate.sampled)} of the objects gave ${formatSize(estimate.read)} at ${rate}, ${count(Math.round(estimate.objectsPerSecond))} objects a second; writing is not measured`,
  ];
}

function doneLines({ to, copied, present, checked, seconds }: Rescue): string[] {
  const rate = seconds > 0 ? ` (${formatSize(copied.bytes / seconds)}/s)` : "";
  return [
    `copied to ${to}: ${amount(copied)} in ${formatDuration(seconds)}${rate}`,
    ...(present.objects === 0 ? [] : [`there already, from an earlier run: ${amount(present)}`]),
    `held against the record's sha256: ${count(checked.sha256)}, the store's MD5: ${count(checked.md5)}, the size alone: ${count(checked.size)}`,
  ];
}
