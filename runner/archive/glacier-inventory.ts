/** What lies in a vault of Glacier, by a job of its own that takes hours. */
import { text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { GetJobOutputCommand, InitiateJobCommand, ListJobsCommand, type GlacierClient, type GlacierJobDescription } from "@aws-sdk/client-glacier";
import { z } from "zod";
import { StorageError } from "../storage/faults.ts";
import type { Inventory } from "./depot.ts";

/** In front of the description of what is ours: an upload, an archive, a job. */
export const mark = "blackroad-dr ";
const description = `${mark}inventory`;

interface Vault {
  readonly accountId: string;
  readonly vaultName: string;
}

const time = z.iso.datetime({ offset: true });
/** As the API reference has it ("Get job output"). */
const inventorySchema = z.object({
  InventoryDate: time,
  ArchiveList: z.array(z.object({ ArchiveId: z.string(), ArchiveDescription: z.string().default(""), CreationDate: time, Size: z.number(), SHA256TreeHash: z.string() })),
});

/** The vault itself remembers what was asked of it, for a day after it is done: no run has to, and any may go on. */
export async function inventoryOf(client: GlacierClient, vault: Vault, where: string, anew: boolean): Promise<Inventory> {
  const job = await newestJob(client, vault);
  if (job === undefined || (anew && job.Completed === true)) {
    const { jobId } = await client.send(new InitiateJobCommand({ ...vault, jobParameters: { Type: "inventory-retrieval", Format: "JSON", Description: description } }));
    if (jobId === undefined) throw new StorageError("other", "Glacier gave the inventory no id", where);
    return { state: "waiting", since: new Date() };
  }
  if (job.Completed !== true) return { state: "waiting", since: new Date(job.CreationDate ?? Date.now()) };
  const { body } = await client.send(new GetJobOutputCommand({ ...vault, jobId: job.JobId }));
  const parsed = inventorySchema.safeParse(jsonOf(body === undefined ? "" : await text(body as Readable)));
  if (!parsed.success) throw new StorageError("other", `the inventory is not what Glacier promises: ${parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ")}`, where);
  const { ArchiveList: list, InventoryDate: listed } = parsed.data;
  return {
    state: "ready", listedAt: new Date(listed),
    archives: list.map(({ ArchiveId: id, ArchiveDescription, CreationDate, Size: bytes, SHA256TreeHash: treeHash }) => ({ id, bytes, createdAt: new Date(CreationDate), label: ArchiveDescription, treeHash })),
  };
}

/** Whoever asked for it: an inventory is the vault's. */
const isWhole = ({ InventoryRetrievalParameters: asked }: GlacierJobDescription): boolean =>
  asked === undefined || ((asked.Format ?? "JSON") === "JSON" && [asked.StartDate, asked.EndDate, asked.Limit].every((part) => part === undefined));

/** Of those that did not fail. */
async function newestJob(client: GlacierClient, vault: Vault): Promise<GlacierJobDescription | undefined> {
  const jobs: GlacierJobDescription[] = [];
  let marker: string | undefined;
  do {
    const { JobList: page = [], Marker: next } = await client.send(new ListJobsCommand({ ...vault, ...(marker === undefined ? {} : { marker }) }));
    jobs.push(...page.filter((job) => job.Action === "InventoryRetrieval" && job.StatusCode !== "Failed" && isWhole(job)));
    marker = next;
  } while (marker !== undefined && marker !== "");
  return jobs.toSorted((a, b) => ((a.CreationDate ?? "") < (b.CreationDate ?? "") ? -1 : 1)).at(-1);
}

function jsonOf(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined; // what it should have been is said by the schema
  }
}
