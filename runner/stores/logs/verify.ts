import { createHash } from "node:crypto";
import type { BackupRecord, CopyResult } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import { secondsSince } from "../../system/clock.ts";
import { copyVerificationOf, verificationOf, type CopyVerification, type Verification, type VerificationCheck } from "../../verification.ts";
import { readLines } from "./lines.ts";
import { readManifest } from "./manifest.ts";

const mostNamed = 10;

/**
 * Verifies what arrived in the record's interval, in each backend: every object is there, is what was recorded of it,
 * and gives its lines. Nothing is restored into a server: a recovery does no more than read the same lines.
 */
export async function verifyLogs(context: RunContext, record: BackupRecord): Promise<Verification> {
  const copies: CopyVerification[] = [];
  for (const copy of record.copies) copies.push(await verifyCopy(context, record, copy));
  return verificationOf(record.id, record.store, copies);
}

async function verifyCopy(context: RunContext, record: BackupRecord, copy: CopyResult): Promise<CopyVerification> {
  const begun = performance.now();
  const checks: VerificationCheck[] = [];
  const failed = (error: string) => copyVerificationOf(copy.backend, checks, [error], secondsSince(begun));
  if (copy.status === "failed") return failed(`nothing was found here when it was recorded: ${copy.error}`);
  const backend = context.backends.find(({ name }) => name === copy.backend);
  const [object] = record.objects;
  if (backend === undefined || object === undefined) return failed(backend === undefined ? `the configuration has no backend ${copy.backend}` : "the record names no manifest");
  try {
    const entries = (await readManifest(context, backend, object)).filter((entry) => entry.backend === backend.name);
    checks.push({ name: "the manifest decrypts", ok: true, detail: backend.uri(object.key) });
    const errors: string[] = [];
    const sum = { bytes: 0, lines: 0 };
    for (const entry of entries) {
      context.signal.throwIfAborted();
      try {
        const body = await backend.read(entry.key, context.signal);
        const sha256 = createHash("sha256").update(body).digest("hex");
        if (sha256 !== entry.sha256) throw new RangeError(`its sha256 is ${sha256}, and was ${entry.sha256} (${body.length} bytes, ${entry.bytes} expected)`);
        const { length } = await readLines(body, backend.uri(entry.key));
        if (length !== entry.lines) throw new RangeError(`it gives ${length} lines, and gave ${entry.lines}`);
        sum.bytes += body.length;
        sum.lines += length;
      } catch (error) {
        errors.push(`${entry.key} in ${backend.name}: ${messageOf(error)}`);
      }
    }
    checks.push({ name: "every object is what arrived, and gives its lines", ok: errors.length === 0, detail: `${entries.length} objects, ${sum.lines} lines` });
    checks.push({ name: "nothing is restored into a server", ok: true, detail: "logs are read where they lie" });
    const named = errors.length <= mostNamed ? errors : [...errors.slice(0, mostNamed), `and ${errors.length - mostNamed} more`];
    return copyVerificationOf(copy.backend, checks, named, secondsSince(begun), { downloadBytes: sum.bytes, downloadSeconds: secondsSince(begun) });
  } catch (error) {
    context.signal.throwIfAborted();
    return failed(`${object.key} in ${copy.backend}: ${messageOf(error)}`);
  }
}
