import { createHash } from "node:crypto";
import type { BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { onlyObject } from "../../copies.ts";
import { messageOf } from "../../errors.ts";
import { secondsSince } from "../../system/clock.ts";
import type { MeasuredWork, Verification } from "../../verification.ts";
import { verifyCopies, type CopyOnTrial } from "../../verify-copies.ts";
import { readLines } from "./lines.ts";
import { readManifest } from "./manifest.ts";

const mostNamed = 10;

/**
 * Verifies what arrived in the record's interval, in each backend: every object is there, is what was recorded of it,
 * and gives its lines. Nothing is restored into a server: a recovery does no more than read the same lines.
 */
export function verifyLogs(context: RunContext, record: BackupRecord): Promise<Verification> {
  return verifyCopies(context, record, (copy) => verifyInterval(context, record, copy));
}

async function verifyInterval(context: RunContext, record: BackupRecord, { backend, checks, errors }: CopyOnTrial): Promise<MeasuredWork> {
  const begun = performance.now();
  const manifest = onlyObject(record);
  const entries = (await readManifest(context, backend, manifest)).filter((entry) => entry.backend === backend.name);
  checks.push({ name: "the manifest decrypts", ok: true, detail: backend.uri(manifest.key) });
  const wrong: string[] = [];
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
      wrong.push(`${entry.key} in ${backend.name}: ${messageOf(error)}`);
    }
  }
  checks.push({ name: "every object is what arrived, and gives its lines", ok: wrong.length === 0, detail: `${entries.length} objects, ${sum.lines} lines` });
  checks.push({ name: "nothing is restored into a server", ok: true, detail: "logs are read where they lie" });
  errors.push(...wrong.slice(0, mostNamed), ...(wrong.length > mostNamed ? [`and ${wrong.length - mostNamed} more`] : []));
  return { downloadBytes: sum.bytes, downloadSeconds: secondsSince(begun) };
}
