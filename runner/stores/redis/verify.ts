import { join } from "node:path";
import type { BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { onlyObject } from "../../copies.ts";
import { fetchCopy } from "../../fetch-object.ts";
import { secondsSince } from "../../system/clock.ts";
import type { MeasuredWork, Verification } from "../../verification.ts";
import { inVerifyFolder, verifyCopies, type CopyOnTrial } from "../../verify-copies.ts";
import { checkRdb } from "./check-rdb.ts";
import { startFromRdb } from "./isolated-server.ts";
import { compareWithRecord, loadedEnough } from "./recover.ts";
import { sampleContent } from "./sample.ts";
import { databasesOf, keysIn, readInfo } from "./server-state.ts";

/**
 * Verifies every copy of a snapshot by restoring it: checksum, decryption, `redis-check-rdb`, a server that loads it,
 * its number of keys, and a sample of contents. What is wrong with a copy is in its `errors`; only what keeps all of
 * them from being verified is thrown.
 */
export function verifyRedis(context: RunContext, record: BackupRecord): Promise<Verification> {
  return verifyCopies(context, record, (copy) => inVerifyFolder(context, (dir) => restoreAndQuery(context, record, copy, dir)));
}

async function restoreAndQuery(context: RunContext, record: BackupRecord, { backend, checks, errors }: CopyOnTrial, dir: string): Promise<MeasuredWork> {
  const { signal, plan } = context;
  const object = onlyObject(record);
  const path = join(dir, "dump.rdb");
  const downloading = performance.now();
  const { bytes } = await fetchCopy(backend, object, await context.passphrase(), path, signal);
  const downloadSeconds = secondsSince(downloading);
  checks.push({ name: "sha256 is the record's and the message decrypts", ok: true, detail: backend.uri(object.key) });
  const counts = await checkRdb(path, bytes, signal);
  compareWithRecord(counts, record);
  checks.push({ name: "redis-check-rdb reads every key", ok: true, detail: `${counts.keys} keys, ${counts.expires} of which can expire` });
  const server = await startFromRdb({ plan, dir, rdb: { path, bytes }, owner: undefined, daemon: false, signal });
  try {
    const link = await server.connect();
    try {
      const loaded = keysIn({ databases: databasesOf(await readInfo(link)) });
      checks.push({ name: "a server loads it", ok: loadedEnough(loaded, counts), detail: `${loaded} of ${counts.keys} keys` });
      const sample = await sampleContent(link);
      checks.push({ name: "sampled contents are readable", ok: sample.errors.length === 0, detail: sample.summary });
      const measured = { redisLoadBytes: bytes, redisLoadSeconds: server.loadSeconds, downloadBytes: object.bytes, downloadSeconds };
      errors.push(...sample.errors.map((error) => `${object.key} in ${backend.name}: ${error}`));
      return measured;
    } finally {
      link.close();
    }
  } finally {
    await server.stop();
  }
}
