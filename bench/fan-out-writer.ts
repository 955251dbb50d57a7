import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { z } from "zod";
import { parseConfig } from "../runner/config.ts";
import { writeToAll } from "../runner/storage/fan-out.ts";
import { openBackends } from "../runner/storage/open.ts";

/** One fan-out in a process of its own, so that its memory is its own: the request as JSON on the standard input. */
const request = z.strictObject({
  config: z.unknown(),
  key: z.string(),
  bytes: z.number(),
  /** Read from this file; otherwise zeros are made up. */
  file: z.string().optional(),
}).parse(JSON.parse(await new Response(Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>).text()));

function* zeros(bytes: number): Generator<Buffer> {
  const block = Buffer.alloc(1024 ** 2);
  for (let left = bytes; left > 0; left -= block.length) yield left < block.length ? block.subarray(0, left) : block;
}

const backends = await openBackends(parseConfig(request.config, "bench"));
const source = request.file === undefined ? Readable.from(zeros(request.bytes), { objectMode: false }) : createReadStream(request.file, { highWaterMark: 256 * 1024 });
const begun = performance.now();
const { bytes, copies } = await writeToAll(backends, request.key, source, { expectedBytes: request.bytes });
const seconds = (performance.now() - begun) / 1_000;
const peakKib = Number(/VmHWM:\s+(\d+)/.exec(await readFile("/proc/self/status", "utf8"))?.[1]);
process.stdout.write(JSON.stringify({ seconds, bytes, peakKib, failed: copies.filter((copy) => copy.status === "failed") }));
for (const backend of backends) backend.close();
