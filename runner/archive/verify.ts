import type { BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { messageOf } from "../errors.ts";
import { secondsSince } from "../system/clock.ts";
import { copyVerificationOf, verificationOf, type CopyVerification, type Verification } from "../verification.ts";
import { openDepot } from "./open.ts";
import { archiveDetails } from "./recover.ts";

/**
 * What can be said of an archive without retrieving it, which takes hours and costs money: that it is there. Its content
 * was checked against the records' checksums as it was written; that it can be read is shown by `dr recover archive`.
 */
export async function verifyArchive(context: RunContext, record: BackupRecord): Promise<Verification> {
  const copies: CopyVerification[] = [];
  for (const copy of record.copies) {
    const begun = performance.now();
    if (copy.status === "failed") {
      copies.push(copyVerificationOf(copy.backend, [], [`it was never written: ${copy.error}`], secondsSince(begun)));
      continue;
    }
    const depot = await openDepot(context);
    try {
      const check = await depot.look(archiveDetails(record).reference, copy.bytes);
      copies.push(copyVerificationOf(copy.backend, [check], [], secondsSince(begun)));
    } catch (error) {
      context.signal.throwIfAborted();
      copies.push(copyVerificationOf(copy.backend, [], [messageOf(error)], secondsSince(begun)));
    } finally {
      depot.close();
    }
  }
  return verificationOf(record.id, record.store, copies);
}
