import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { S3Server } from "../../../../drill/environments/servers/s3.ts";
import { ObjectBucket } from "../../../../runner/stores/objects/bucket.ts";
import { testContext, type TestContext, type TestContextOptions } from "../../../harness/context.ts";
import { s3Config, type Stores } from "../../../harness/stores.ts";

/** A source and a copy of a test's own inside the servers' buckets. */
export interface Pair {
  readonly folder: string;
  readonly source: ObjectBucket;
  readonly target: ObjectBucket;
  readonly config: NonNullable<TestContextOptions["config"]>;
  /** Everything that the source holds, as text. */
  readonly contents: () => Promise<Record<string, string>>;
  readonly put: (objects: Readonly<Record<string, string>>) => Promise<void>;
  readonly remove: (...keys: string[]) => Promise<void>;
  readonly run: (more?: Partial<TestContextOptions>) => Promise<TestContext>;
  readonly close: () => void;
}

export async function makePair(stores: Stores, r2: S3Server, s3: S3Server): Promise<Pair> {
  const prefix = `t${randomBytes(4).toString("hex")}`;
  const folder = join(stores.folder, prefix);
  const sourceConfig = s3Config(r2, { name: "source", prefix });
  const targetConfig = s3Config(s3, { name: "s3", prefix });
  const [source, target] = await Promise.all([ObjectBucket.open(sourceConfig), ObjectBucket.open(targetConfig)]);
  const config = {
    backends: [targetConfig],
    objects: { endpoint: r2.endpoint, region: r2.region, bucket: r2.bucket, prefix, caFile: r2.caFile, credentialsFile: r2.writerCredentialsFile },
  };
  return {
    folder, source, target, config,
    async contents() {
      const found: Record<string, string> = {};
      for await (const { key } of source.list("")) found[key] = await textOf(source, key);
      return found;
    },
    async put(objects) {
      for (const [key, text] of Object.entries(objects)) await source.put(key, Buffer.from(text));
    },
    remove: (...keys) => source.remove(keys),
    run: (more = {}) => testContext({ folder, ...more, config: { ...config, ...more.config } }),
    close() {
      source.close();
      target.close();
    },
  };
}

export async function textOf(bucket: ObjectBucket, key: string, version?: string): Promise<string> {
  const { body } = await bucket.get(key, { version });
  const chunks: Buffer[] = [];
  for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
