import { resolve } from "node:path";
import type { Command } from "commander";
import { formatDuration, formatSize } from "../../plan/units.ts";
import { DrError } from "../../runner/errors.ts";
import type { VectorsRecovery, VectorsRecoveryPlan, VectorsTarget } from "../../runner/stores/vectors/recover.ts";
import type { CliContext } from "../context.ts";

interface RecoverOptions {
  readonly node: readonly string[];
  readonly index?: string;
  readonly host?: string;
  readonly control: string;
  readonly apiKeyFile?: string;
  readonly ca?: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** `dr recover vectors <backup|latest>` */
export function registerRecoverVectors(recover: Command, context: CliContext): void {
  recover
    .command("vectors")
    .description("restore a backup of the vector store into an empty one")
    .argument("[backup]", "an id of the catalog, or latest", "latest")
    .option("--node <url>", "a node of the Qdrant that gets it, in the order in which they were backed up; repeat it (default: the configured store)", (url: string, before: readonly string[]) => [...before, url], [])
    .option("--index <name>", "the index of Pinecone that gets it; made where it is missing")
    .option("--host <url>", "that index's own host")
    .option("--control <url>", "where Pinecone's indexes are managed", "https://api.pinecone.io")
    .option("--api-key-file <file>", "holds the key of that store", (path: string) => resolve(path))
    .option("--ca <file>", "the authority of that store's certificate", (path: string) => resolve(path))
    .option("--force", "replace what the store holds under the same names", false)
    .option("--dry-run", "say which backup it would be and what the store holds, and do nothing", false)
    .action(async (backup: string, options: RecoverOptions) => {
      const target = targetOf(options);
      const asked = { backup, force: options.force, ...(target === undefined ? {} : { target }) };
      const run = await context.openRun();
      const { planVectorsRecovery, recoverVectors } = await import("../../runner/stores/vectors/recover.ts");
      if (options.dryRun) {
        const plan = await planVectorsRecovery(run, asked);
        context.print(renderPlan(plan), { dryRun: true, ...plan });
        return;
      }
      const result = await recoverVectors(run, asked);
      context.print(render(result), result);
    });
}

function targetOf({ apiKeyFile, ca, control, host, index, node }: RecoverOptions): VectorsTarget | undefined {
  const wrong = (what: string, todo: string) => new DrError({ kind: "usage", what, where: "dr recover vectors", todo });
  if (node.length > 0 && index !== undefined) throw wrong("a Qdrant and a Pinecone are named", "Name the one or the other.");
  if (node.length > 0) return { kind: "qdrant", nodes: [...node], caFile: ca, apiKeyFile };
  if (index === undefined) {
    if (host === undefined && apiKeyFile === undefined && ca === undefined) return undefined;
    throw wrong("a key, an authority or a host is given, and no store", "Name the store with --node or --index.");
  }
  if (host === undefined || apiKeyFile === undefined) throw wrong("the index's host or its key is not given", "Add --host and --api-key-file.");
  return { kind: "pinecone", index, host, control, apiKeyFile, caFile: ca };
}

function renderPlan(plan: VectorsRecoveryPlan): string {
  return [
    `would restore ${plan.backup} (${plan.points} vectors, ${formatSize(plan.bytes)}), which reaches to ${plan.recoveredTo}, into ${plan.target}`,
    plan.base === plan.backup ? "it is a full backup" : `it builds upon ${plan.base}`,
    plan.holds.length === 0 ? "the target is empty" : `the target holds ${plan.holds.join(", ")}: it would be refused without --force`,
  ].join("\n");
}

function render(result: VectorsRecovery): string {
  return [
    `recovered ${result.backup} to ${result.recoveredTo}: ${result.points} vectors, ${formatSize(result.bytes)}, into ${result.target}`,
    ...result.rejected.map(({ backend, error }) => `not everything from ${backend}: ${error}`),
    `counts and samples are as they were; in ${formatDuration(result.seconds)}`,
  ].join("\n");
}
