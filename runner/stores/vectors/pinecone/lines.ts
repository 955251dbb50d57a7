/** What an export consists of: blocks of JSON lines, each line a namespace and a vector, or a namespace and an id. */
import { z } from "zod";
import { DrError } from "../../../errors.ts";
import type { BlockReader } from "../blocks.ts";
import { blockOf, type Change, type Manifest } from "../manifest.ts";
import type { ExportRun } from "../provider.ts";
import { vectorSchema, type Vector } from "./api.ts";

/** Bytes of a block before it is packed; its vectors are in memory at once. */
const blockBytes = 4 * 1024 ** 2;

const vectorLine = z.tuple([z.string(), vectorSchema]);
const idLine = z.tuple([z.string(), z.string()]);
export type VectorLine = readonly [namespace: string, vector: Vector];
export type IdLine = readonly [namespace: string, id: string];

/** Collects lines into blocks of a bounded size. Several may write at once. */
export class LineWriter {
  readonly changes: Change[] = [];
  readonly #run: ExportRun;
  readonly #what: Change["what"];
  #lines: string[] = [];
  #ids: string[] = [];
  #namespaces = new Set<string>();
  #bytes = 0;
  /** Lines so far. */
  count = 0;

  constructor(run: ExportRun, what: Change["what"]) {
    this.#run = run;
    this.#what = what;
  }

  put(namespace: string, vector: Vector): Promise<void> {
    return this.#add(namespace, vector.id, JSON.stringify([namespace, vector]));
  }

  drop(namespace: string, id: string): Promise<void> {
    return this.#add(namespace, id, JSON.stringify([namespace, id]));
  }

  async #add(namespace: string, id: string, line: string): Promise<void> {
    this.#lines.push(line);
    this.#ids.push(JSON.stringify([namespace, id]));
    this.#namespaces.add(namespace);
    this.#bytes += line.length;
    this.count += 1;
    if (this.#bytes >= blockBytes) await this.end();
  }

  /** Stores what has been collected. */
  async end(): Promise<readonly Change[]> {
    const count = this.#lines.length;
    if (count === 0) return this.changes;
    const text = (lines: readonly string[]) => Buffer.from(`${lines.join("\n")}\n`);
    const [data, ids, namespaces] = [text(this.#lines), text(this.#ids), [...this.#namespaces].sort()];
    [this.#lines, this.#ids, this.#namespaces, this.#bytes] = [[], [], new Set(), 0];
    const { blocks, writer } = this.#run;
    const block = blocks.add(await writer.add(data, { compress: true }));
    const idBlock = this.#what === "put" ? blocks.add(await writer.add(ids, { compress: true })) : null;
    this.changes.push({ what: this.#what, count, namespaces, block, ids: idBlock });
    return this.changes;
  }
}

async function linesOf<T>(reader: BlockReader, manifest: Manifest, number: number, count: number, schema: z.ZodType<T>): Promise<T[]> {
  const wrong = (why: string) => new DrError({ kind: "failed", what: `a block of the export is not what dr writes: ${why}`, where: manifest.id, todo: "Choose another backup." });
  const lines = (await reader.block(blockOf(manifest, number))).toString("utf8").split("\n").filter((line) => line !== "");
  if (lines.length !== count) throw wrong(`${lines.length} lines where ${count} were written`);
  return lines.map((line, place) => {
    const parsed = schema.safeParse(JSON.parse(line));
    if (parsed.success) return parsed.data;
    throw wrong(`line ${place + 1}: ${parsed.error.issues[0]?.message ?? "unknown"}`);
  });
}

export const vectorsIn = (reader: BlockReader, manifest: Manifest, { block, count }: Change): Promise<VectorLine[]> => linesOf(reader, manifest, block, count, vectorLine);

/** The ids that a change puts or drops, without reading vectors. */
export const idsIn = (reader: BlockReader, manifest: Manifest, { block, ids, count }: Change): Promise<IdLine[]> => linesOf(reader, manifest, ids ?? block, count, idLine);
