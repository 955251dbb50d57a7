import { ObjectBucket } from "../../../runner/stores/objects/bucket.ts";
import { s3Config } from "../../harness/stores.ts";
import { marker, type House } from "../job.ts";
import { bucketsOf, openHouse, type Site } from "./site.ts";

/** New in each run; as many change, and one goes. */
const each = 8;

export async function objectsHouse(site: Site): Promise<House> {
  const prefix = "objects-source";
  const { endpoint, region, bucket, caFile, writerCredentialsFile: credentialsFile } = site.r2;
  const source = await ObjectBucket.open(s3Config(site.r2, { name: "source", prefix }));
  let runs = 0;
  const change = async (): Promise<void> => {
    runs += 1;
    const keys = Array.from({ length: each }, (_, index) => [`run-${runs}/${index}`, `often/${index}`]).flat();
    await Promise.all(keys.map((key) => source.put(key, Buffer.from(`${marker} ${runs} ${key}`))));
    await source.remove([`run-${runs - 1}/0`]);
  };
  const [r2] = bucketsOf(site, "objects");
  return openHouse(site, {
    name: "objects", undo: [() => source.close()],
    config: { backends: [r2, s3Config(site.kept, { name: "s3", prefix: "objects" })], objects: { endpoint, region, bucket, prefix, caFile, credentialsFile } },
    jobs: () => [{ store: "objects", name: "objects sync", command: ["backup", "objects", "sync"], makes: { store: "objects", kind: "sync" }, change }],
  });
}
