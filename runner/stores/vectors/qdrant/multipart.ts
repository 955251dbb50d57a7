import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";

/** One file as multipart form data: the only way in which Qdrant takes a snapshot. Its length is known beforehand. */
export function multipart(field: string, file: AsyncIterable<Uint8Array>, bytes: number): { readonly body: Readable; readonly bytes: number; readonly contentType: string } {
  const boundary = `dr-${randomBytes(16).toString("hex")}`;
  const head = Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${field}"\r\nContent-Type: application/octet-stream\r\n\r\n`);
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  async function* parts(): AsyncGenerator<Uint8Array> {
    yield head;
    yield* file;
    yield tail;
  }
  return { body: Readable.from(parts(), { objectMode: false }), bytes: head.length + bytes + tail.length, contentType: `multipart/form-data; boundary=${boundary}` };
}
