/** What PostgreSQL's records carry in `details`, beside what every record has. */
import { z } from "zod";
import type { BackupRecord } from "../../catalog/record.ts";

/** Kind of the records that only mark a moment and hold no data. */
export const restorePointKind = "restore-point";

export const repositoryDetailsSchema = z.object({
  label: z.string(),
  type: z.enum(["full", "diff", "incr"]),
  startedAt: z.string(),
  stoppedAt: z.string(),
  /** Every transaction from this id on committed after the backup's end. 64 bits, so as text. */
  nextXid: z.string().regex(/^\d+$/),
  /** Added to the repository, compressed. */
  storedBytes: z.number(),
  seconds: z.number(),
});

export type RepositoryDetails = z.infer<typeof repositoryDetailsSchema>;

const detailsSchema = z.object({ repositories: z.record(z.string(), repositoryDetailsSchema) });

/** What the record says of its copy in one repository; `undefined` where it says nothing. */
export function readRepositoryDetails(record: BackupRecord, repository: string): RepositoryDetails | undefined {
  const parsed = detailsSchema.safeParse(record.details);
  return parsed.success ? parsed.data.repositories[repository] : undefined;
}
