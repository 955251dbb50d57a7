import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { DrError, messageOf } from "../../errors.ts";

/** One of Prometheus' blocks as it lies on a disk: a folder with an index, chunks, tombstones and `meta.json`. */
export interface Block {
  readonly ulid: string;
  /** Milliseconds since the epoch; the second is exclusive. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly samples: number;
  readonly series: number;
  readonly bytes: number;
  /** What tells whether a block of this name is the one that was stored. */
  readonly fingerprint: string;
}

const ulidForm = /^[0-9A-HJKMNP-TV-Z]{26}$/;
const meta = z.object({ ulid: z.string(), minTime: z.number(), maxTime: z.number(), stats: z.object({ numSamples: z.number().default(0), numSeries: z.number().default(0) }).default({ numSamples: 0, numSeries: 0 }) });

/** Files that Prometheus rewrites in a block that stands: a deletion of series adds tombstones. Chunks and index never change. */
const rewritten: ReadonlySet<string> = new Set(["meta.json", "tombstones"]);

async function filesIn(folder: string): Promise<{ readonly path: string; readonly bytes: number }[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return Promise.all(files.sort().map(async (path) => ({ path, bytes: (await stat(join(folder, path))).size })));
}

export async function readBlock(folder: string, ulid: string): Promise<Block> {
  const path = join(folder, ulid);
  const damaged = (cause: unknown) => new DrError({ kind: "failed", what: `the block is damaged: ${messageOf(cause)}`, where: path, todo: "Look at Prometheus' log; a block without its meta.json is dropped at its next start." });
  const files = await filesIn(path).catch((cause: unknown) => {
    throw damaged(cause);
  });
  const hash = createHash("sha256");
  for (const { path: file, bytes } of files) {
    hash.update(`${file}\0${bytes}\0`);
    if (rewritten.has(file)) hash.update(await readFile(join(path, file)));
  }
  const text = await readFile(join(path, "meta.json"), "utf8").catch((cause: unknown) => {
    throw damaged(cause);
  });
  let value: z.infer<typeof meta>;
  try {
    value = meta.parse(JSON.parse(text));
  } catch (cause) {
    throw damaged(cause);
  }
  if (!files.some((file) => file.path === "index")) throw damaged(new Error("it has no index"));
  const { numSamples: samples, numSeries: series } = value.stats;
  return { ulid, minTime: value.minTime, maxTime: value.maxTime, samples, series, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), fingerprint: hash.digest("hex") };
}

/** Every block in a folder, oldest first. */
export async function readBlocks(folder: string): Promise<Block[]> {
  const names = (await readdir(folder)).filter((name) => ulidForm.test(name));
  const blocks = await Promise.all(names.map((name) => readBlock(folder, name)));
  return blocks.sort((a, b) => a.minTime - b.minTime || (a.ulid < b.ulid ? -1 : 1));
}
