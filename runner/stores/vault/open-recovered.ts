import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { sealIn } from "./back-up.ts";
import { healthOf, openVault, vaultOf, vaultServerOf } from "./connection.ts";
import { readBack } from "./recover.ts";
import { openLoaded } from "./restore.ts";
import { describeSeal } from "./seal.ts";

/**
 * Unseals the server that `backup` was recovered into, as far as the keys are at hand, and says whether its secrets can
 * be read. Does nothing to one that is unsealed.
 * @throws DrError where people have the keys, or it holds nothing
 */
export async function openRecovered(context: RunContext, backup: string): Promise<string> {
  const { signal } = context;
  const link = await openVault(vaultServerOf(context));
  try {
    const { state } = await healthOf(link, signal);
    if (state === "not initialised") throw new DrError({ kind: "failed", what: "this Vault holds nothing: it is not the one that was recovered", where: link.http.url, todo: "Start the one that was recovered; or start over with --restart." });
    if (state === "sealed" && !(await openLoaded(link, state, vaultOf(context).seal, signal))) {
      const seal = sealIn(await context.catalog.find(backup));
      throw new DrError({ kind: "failed", what: `Vault holds the snapshot and is sealed${seal === undefined ? "" : `: it opens with ${describeSeal(seal)}`}`, where: link.http.url, todo: "Unseal it; then start this again: it goes on behind it." });
    }
    const { read, detail } = await readBack(context, link);
    return `unsealed; ${read ? `${detail} can be read` : `no secret was read: ${detail}`}`;
  } finally {
    await link.close();
  }
}
