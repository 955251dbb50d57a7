import type { BackupRecord, CopyResult } from "../../runner/catalog/record.ts";
import type { ErrorKind } from "../../runner/errors.ts";

/** A copy that stands, of `bytes` bytes. */
export const copyOk = (backend: string, bytes = 1_000): CopyResult => ({ backend, status: "ok", uri: `s3://bucket-of-${backend}/object`, bytes, seconds: 1 });
export const copyFailed = (backend: string, error = "connection refused", kind?: ErrorKind): CopyResult => ({ backend, status: "failed", error, ...(kind === undefined ? {} : { kind }) });

/** A record that began at `startedAt` and took `took` seconds; whatever else is asked for replaces the rest. */
export function record(store: string, kind: string, startedAt: string, more: Partial<BackupRecord> & { readonly took?: number } = {}): BackupRecord {
  const { took = 5, ...rest } = more;
  const begun = new Date(startedAt);
  return {
    version: 1,
    id: `${begun.toISOString().replaceAll(/[-:.]/g, "")}-${store}-${kind}-0000`,
    store,
    kind,
    startedAt: begun.toISOString(),
    finishedAt: new Date(begun.getTime() + took * 1_000).toISOString(),
    watermark: { time: begun.toISOString() },
    sourceBytes: 10_000,
    objects: [],
    encryption: "openpgp",
    copies: [copyOk("r2"), copyOk("s3")],
    tools: {},
    expiresAt: null,
    details: {},
    ...rest,
  };
}
