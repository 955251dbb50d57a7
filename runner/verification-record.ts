import { z } from "zod";
import { expiryOf } from "./backup-record.ts";
import { recordVersion, type BackupRecord } from "./catalog/record.ts";
import type { RunContext } from "./context.ts";
import type { Verification } from "./verification.ts";

/** The kind of a record that says how a verification went. Such a record holds no copy, so nothing restores it. */
export const verificationKind = "verification";

const seconds = z.number().min(0).optional();
const bytes = z.number().min(0).optional();
const measuredSchema = z.object({
  restoreBytes: bytes, restoreSeconds: seconds,
  walBytes: bytes, walSeconds: seconds,
  replayBytes: bytes, replaySeconds: seconds,
  redisLoadBytes: bytes, redisLoadSeconds: seconds,
  vaultRestoreBytes: bytes, vaultRestoreSeconds: seconds,
  vectorsRestoreBytes: bytes, vectorsRestoreSeconds: seconds,
  downloadBytes: bytes, downloadSeconds: seconds,
  validateBytes: bytes, validateSeconds: seconds,
  startUpSeconds: seconds, promoteSeconds: seconds,
});

const verificationSchema = z.object({
  backup: z.string(),
  store: z.string(),
  ok: z.boolean(),
  copies: z.array(
    z.object({
      backend: z.string(),
      ok: z.boolean(),
      errors: z.array(z.string()),
      checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string().optional() })),
      seconds: z.number().min(0),
      measured: measuredSchema.optional(),
    }),
  ),
});

export type RecordedVerification = z.infer<typeof verificationSchema>;

/** What a verification found, as the catalog keeps it. `backup` is the record that was verified. */
export function verificationRecord(id: string, backup: BackupRecord, verification: Verification, times: { readonly startedAt: Date; readonly finishedAt: Date; readonly expiresAt: string | null }): BackupRecord {
  return {
    version: recordVersion,
    id,
    store: backup.store,
    kind: verificationKind,
    startedAt: times.startedAt.toISOString(),
    finishedAt: times.finishedAt.toISOString(),
    watermark: backup.watermark,
    sourceBytes: backup.sourceBytes,
    objects: [],
    encryption: "none",
    copies: [],
    tools: backup.tools,
    expiresAt: times.expiresAt,
    details: z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(verification))),
  };
}

/** What a record of a verification says; `undefined` for any other record, and for one that says it in no known form. */
export function verificationIn(record: BackupRecord): RecordedVerification | undefined {
  return record.kind === verificationKind ? verificationSchema.safeParse(record.details).data : undefined;
}

/** Writes the result to the catalog, from where status, metrics and later predictions take it. */
export async function recordVerification(context: RunContext, backup: BackupRecord, verification: Verification, startedAt: Date): Promise<BackupRecord> {
  const record = verificationRecord(context.catalog.newId(backup.store, verificationKind), backup, verification, { startedAt, finishedAt: context.clock.now(), expiresAt: expiryOf(context.plan, "verify", startedAt) });
  await context.catalog.write(record);
  return record;
}
