import type { RunContext } from "../context.ts";
import { DrError } from "../errors.ts";
import type { ArchiveDepot } from "./depot.ts";

/** Opens the archive without a word to it; each kind loads its own client. */
export async function openDepot({ config: { archive } }: RunContext): Promise<ArchiveDepot> {
  if (archive === undefined) throw new DrError({ kind: "usage", what: "the configuration names no archive", where: "archive", todo: "Add `archive`, of kind glacier-vault or s3." });
  if (archive.kind === "s3") return (await import("./s3-glacier.ts")).S3Glacier.open(archive);
  return (await import("./glacier-vault.ts")).GlacierVault.open(archive);
}
