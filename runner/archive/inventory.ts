/** What lies in the archive, held against the catalog. */
import type { CatalogProblem } from "../catalog/catalog.ts";
import { outcomeOf, type BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { kind, store } from "./back-up.ts";
import type { Inventory, ListedArchive } from "./depot.ts";
import { openDepot } from "./open.ts";
import { archiveDetails } from "./recover.ts";

interface Recorded {
  readonly backup: string;
  readonly week: string;
}

export interface InventoryComparison {
  /** Everything that is recorded is there as it was written, and nothing else is. */
  readonly ok: boolean;
  /** ISO 8601: what is younger need not have been listed. */
  readonly listedAt: string;
  readonly archives: number;
  readonly bytes: number;
  /** Recorded, and not there. */
  readonly missing: readonly Recorded[];
  /** There, and not as it was written. */
  readonly differing: readonly (Recorded & { readonly why: string })[];
  /** There, and in no record: what a run left that was killed before it recorded it, or somebody else's. */
  readonly unknown: readonly { readonly id: string; readonly label: string; readonly bytes: number; readonly createdAt: string }[];
  /** Recorded after it was listed. */
  readonly younger: readonly Recorded[];
  /** Records that cannot be read: what they name counts as unknown. */
  readonly problems: readonly CatalogProblem[];
}

export type ArchiveInventory = { readonly state: "waiting"; readonly since: string } | (InventoryComparison & { readonly state: "compared" });

/**
 * Asks the archive what it holds and compares it with the catalog. Glacier answers after hours: the first run asks and ends, a
 * later one, of whichever machine, compares. `anew`: not with an answer that is there from before.
 */
export async function takeInventory(context: RunContext, { anew }: { readonly anew: boolean }): Promise<ArchiveInventory> {
  const depot = await openDepot(context);
  try {
    const inventory = await depot.inventory(anew);
    if (inventory.state === "waiting") return { state: "waiting", since: inventory.since.toISOString() };
    const { records, problems } = await context.catalog.list({ store, kind });
    return { state: "compared", ...compareInventory(inventory, records, problems, (reference) => depot.idOf(reference)) };
  } finally {
    depot.close();
  }
}

/** Pure. */
export function compareInventory({ archives, listedAt }: Extract<Inventory, { state: "ready" }>, records: readonly BackupRecord[], problems: readonly CatalogProblem[], idOf: (reference: Readonly<Record<string, unknown>>) => string | undefined): InventoryComparison {
  const left = new Map(archives.map((archive) => [archive.id, archive]));
  const missing: Recorded[] = [];
  const younger: Recorded[] = [];
  const differing: (Recorded & { why: string })[] = [];
  for (const record of records.filter((one) => outcomeOf(one) !== "failed")) {
    const { reference, week } = archiveDetails(record);
    const recorded = { backup: record.id, week };
    const id = idOf(reference) ?? "";
    const found = left.get(id);
    left.delete(id);
    if (found === undefined) (Date.parse(record.startedAt) > listedAt.getTime() ? younger : missing).push(recorded);
    else differing.push(...differences(record, reference, found).map((why) => ({ ...recorded, why })));
  }
  const unknown = [...left.values()].map(({ id, label, bytes, createdAt }) => ({ id, label, bytes, createdAt: createdAt.toISOString() }));
  return {
    ok: missing.length + differing.length + unknown.length + problems.length === 0,
    listedAt: listedAt.toISOString(), archives: archives.length, bytes: archives.reduce((sum, { bytes }) => sum + bytes, 0),
    missing, differing, unknown, younger, problems,
  };
}

function differences({ copies }: BackupRecord, reference: Readonly<Record<string, unknown>>, { bytes, treeHash }: ListedArchive): string[] {
  const written = copies.flatMap((copy) => (copy.status === "ok" ? [copy.bytes] : []))[0] ?? 0;
  const hash = reference["treeHash"];
  return [
    ...(bytes === written ? [] : [`it has ${bytes} bytes, and ${written} were written`]),
    ...(treeHash === undefined || typeof hash !== "string" || treeHash === hash ? [] : [`its tree hash is ${treeHash}, and ${hash} was written`]),
  ];
}
