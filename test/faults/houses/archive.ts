import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import type { RunContext } from "../../../runner/context.ts";
import { encryptBytes } from "../../../runner/encryption/openpgp.ts";
import { writeToAll } from "../../../runner/storage/fan-out.ts";
import { exitCodes } from "../../../runner/errors.ts";
import { record } from "../../runner/records.ts";
import type { House } from "../job.ts";
import { openHouse, type Site } from "./site.ts";

/** Of the one backup that there is to archive: several parts of an upload. */
const bytes = 8 * 1024 ** 2;

/** In a bucket, as the classes of Glacier are; a vault's unfinished uploads are tried in test/runner/archive. */
export async function archiveHouse(site: Site): Promise<House> {
  const { endpoint, region, bucket, caFile, writerCredentialsFile: credentialsFile } = site.s3;
  return openHouse(site, {
    name: "archive", config: { archive: { kind: "s3", name: "archive", endpoint, region, bucket, prefix: "cold", storageClass: "GLACIER", caFile, credentialsFile } },
    jobs: async (context) => {
      await backUpSomething(context);
      // One a week: what the last run made is put out of the catalog's sight.
      const change = async (): Promise<void> => {
        const { records } = await context.catalog.list({ store: "archive" });
        const keys = records.map(({ id }) => `catalog/archive/${id}.json`);
        if (keys.length > 0) await Promise.all(context.backends.map((backend) => backend.remove(keys)));
      };
      // Every store but one is missing here, so a whole archive cannot be had.
      return [{ store: "archive", name: "archive", command: ["backup", "archive"], makes: { store: "archive", kind: "weekly" }, good: [exitCodes.partial], change }];
    },
  });
}

/** As a snapshot's own job leaves it. */
async function backUpSomething(context: RunContext): Promise<void> {
  const id = context.catalog.newId("redis", "snapshot");
  const key = `redis/${id}/dump.rdb.pgp`;
  const { bytes: stored, sha256, copies } = await writeToAll(context.backends, key, Readable.from([await encryptBytes(randomBytes(bytes), await context.passphrase())]));
  await context.catalog.write(record("redis", "snapshot", context.clock.now().toISOString(), { id, objects: [{ key, bytes: stored, sha256 }], copies }));
}
