import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";

interface Upload {
  readonly description: string;
  readonly partSize: number;
  readonly created: Date;
  readonly parts: Map<number, Buffer>;
}

interface Job {
  /** Empty: an inventory. */
  readonly archive: string;
  readonly tier: string;
  readonly description: string;
  readonly created: Date;
  done: boolean;
}

export interface FakeGlacier {
  readonly url: string;
  readonly archives: Map<string, Buffer>;
  readonly uploads: Map<string, Upload>;
  readonly jobs: Map<string, Job>;
  /** What was said of an archive that was stored, and when that was. */
  readonly described: Map<string, { readonly description: string; readonly created: Date }>;
  /** When the vault was last listed: an inventory shows what was there then. */
  listedAt: Date;
  /** Decides, before anything else, how a request is answered: a status, or the connection cut. */
  fault: (method: string, path: string) => number | "cut" | "cut-body" | undefined;
  close(): Promise<void>;
}

const mebibyte = 1024 ** 2;
const sha256 = (data: Uint8Array): Buffer => createHash("sha256").update(data).digest();

/** The API reference's own description of the tree hash, level by level; written apart from the runner's. */
function treeHash(data: Buffer): string {
  let level: Buffer[] = [];
  for (let from = 0; from === 0 || from < data.length; from += mebibyte) level.push(sha256(data.subarray(from, from + mebibyte)));
  while (level.length > 1) {
    const next: Buffer[] = [];
    for (let index = 0; index < level.length; index += 2) next.push(level[index + 1] === undefined ? (level[index] as Buffer) : sha256(Buffer.concat([level[index] as Buffer, level[index + 1] as Buffer])));
    level = next;
  }
  return (level[0] as Buffer).toString("hex");
}

/**
 * Glacier's vaults by their API reference, with what it refuses: part sizes that are no power of two of MiB, ranges that
 * are not aligned, checksums that do not match, uploads with a gap. Retrievals end when the test says so. Signatures are
 * not checked. It stands in for the service; moto has no multipart uploads.
 */
export async function startFakeGlacier(): Promise<FakeGlacier> {
  const [archives, uploads, jobs, described] = [new Map<string, Buffer>(), new Map<string, Upload>(), new Map<string, Job>(), new Map<string, { description: string; created: Date }>()];
  const glacier = { archives, uploads, jobs, described, listedAt: new Date(0), fault: (() => undefined) as FakeGlacier["fault"] };
  const refuse = (response: ServerResponse, status: number, code: string, message: string): void => void response.writeHead(status, { "content-type": "application/json", "x-amzn-errortype": code }).end(JSON.stringify({ code, message, type: "Client" }));
  const keep = (response: ServerResponse, data: Buffer, description: string): void => {
    const id = randomBytes(24).toString("base64url");
    archives.set(id, data);
    described.set(id, { description, created: new Date() });
    response.writeHead(201, { "x-amz-archive-id": id, "x-amz-sha256-tree-hash": treeHash(data), location: `/archives/${id}` }).end();
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "GET", headers } = request;
    const path = new URL(request.url ?? "/", "http://x").pathname.replace(/^\/[^/]+\/vaults\/[^/]+/, "");
    const body = await buffer(request);
    const fault = glacier.fault(method, path);
    if (fault === "cut") return void request.socket.destroy();
    if (typeof fault === "number") { refuse(response, fault, fault === 403 ? "AccessDeniedException" : "ServiceUnavailableException", "by the test"); return; }
    const hash = headers["x-amz-sha256-tree-hash"];
    const [, kind, id, output] = /^(?:\/([a-z-]+)(?:\/([^/]+))?(\/output)?)?$/.exec(path) ?? [];
    if (kind === undefined) return void response.writeHead(200).end(JSON.stringify({ VaultName: "v", NumberOfArchives: archives.size }));
    if (kind === "archives") {
      if (hash !== treeHash(body)) refuse(response, 400, "InvalidParameterValueException", "checksum");
      else keep(response, body, String(headers["x-amz-archive-description"] ?? ""));
      return;
    }
    if (kind === "multipart-uploads" && id === undefined) {
      if (method === "GET") return void response.writeHead(200).end(JSON.stringify({ UploadsList: [...uploads].map(([uploadId, one]) => ({ MultipartUploadId: uploadId, ArchiveDescription: one.description, CreationDate: one.created.toISOString(), PartSizeInBytes: one.partSize })), Marker: null }));
      const partSize = Number(headers["x-amz-part-size"]);
      if (!Number.isInteger(Math.log2(partSize / mebibyte))) { refuse(response, 400, "InvalidParameterValueException", "part size"); return; }
      const uploadId = randomBytes(12).toString("hex");
      uploads.set(uploadId, { description: String(headers["x-amz-archive-description"] ?? ""), partSize, created: new Date(), parts: new Map() });
      return void response.writeHead(201, { "x-amz-multipart-upload-id": uploadId, location: `/multipart-uploads/${uploadId}` }).end();
    }
    if (kind === "multipart-uploads") {
      const upload = uploads.get(id ?? "");
      if (upload === undefined) { refuse(response, 404, "ResourceNotFoundException", "no such upload"); return; }
      if (method === "DELETE") {
        uploads.delete(id ?? "");
        return void response.writeHead(204).end();
      }
      if (method === "PUT") {
        const [, from = "", to = ""] = /^bytes (\d+)-(\d+)\/\*$/.exec(String(headers["content-range"])) ?? [];
        const fits = Number(from) % upload.partSize === 0 && Number(to) - Number(from) + 1 === body.length && body.length <= upload.partSize;
        if (!fits || hash !== treeHash(body)) { refuse(response, 400, "InvalidParameterValueException", "range or checksum"); return; }
        upload.parts.set(Number(from), body);
        return void response.writeHead(204, { "x-amz-sha256-tree-hash": hash }).end();
      }
      const whole = Buffer.concat([...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part));
      if (whole.length !== Number(headers["x-amz-archive-size"]) || hash !== treeHash(whole)) { refuse(response, 400, "InvalidParameterValueException", "size or checksum"); return; }
      uploads.delete(id ?? "");
      keep(response, whole, upload.description); return;
    }
    if (method === "POST") {
      const asked = JSON.parse(body.toString()) as { Type: string; ArchiveId?: string; Tier?: string; Format?: string; Description?: string };
      const { ArchiveId: archive = "", Description: description = "", Tier: tier = "" } = asked;
      if (asked.Type === "inventory-retrieval" ? asked.Format !== "JSON" : !archives.has(archive)) { refuse(response, 404, "ResourceNotFoundException", "no such archive"); return; }
      const jobId = randomBytes(12).toString("hex");
      jobs.set(jobId, { archive, tier, description, created: new Date(), done: false });
      return void response.writeHead(202, { "x-amz-job-id": jobId }).end();
    }
    if (id === undefined) {
      const list = [...jobs].map(([JobId, one]) => ({ JobId, Action: one.archive === "" ? "InventoryRetrieval" : "ArchiveRetrieval", JobDescription: one.description, CreationDate: one.created.toISOString(), Completed: one.done, StatusCode: one.done ? "Succeeded" : "InProgress" }));
      return void response.writeHead(200).end(JSON.stringify({ JobList: list, Marker: null }));
    }
    const job = jobs.get(id);
    if (job === undefined) { refuse(response, 404, "ResourceNotFoundException", "no such job"); return; }
    if (output === undefined) return void response.writeHead(200).end(JSON.stringify({ JobId: id, Completed: job.done, StatusCode: job.done ? "Succeeded" : "InProgress", CreationDate: new Date().toISOString() }));
    if (job.archive === "") {
      const there = [...archives].filter(([archive]) => (described.get(archive)?.created ?? glacier.listedAt) <= glacier.listedAt);
      const list = there.map(([archive, data]) => ({ ArchiveId: archive, ArchiveDescription: described.get(archive)?.description ?? "", CreationDate: (described.get(archive)?.created ?? glacier.listedAt).toISOString(), Size: data.length, SHA256TreeHash: treeHash(data) }));
      return void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ VaultARN: "arn:aws:glacier:eu-west-1:000000000000:vaults/v", InventoryDate: glacier.listedAt.toISOString(), ArchiveList: list }));
    }
    const data = archives.get(job.archive) ?? Buffer.alloc(0);
    response.writeHead(200, { "content-length": data.length, "x-amz-sha256-tree-hash": treeHash(data) });
    if (fault !== "cut-body") return void response.end(data);
    response.write(data.subarray(0, data.length / 2), () => request.socket.destroy());
  };
  const server = createServer((request, response) => void answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");
  return Object.assign(glacier, {
    url: `http://127.0.0.1:${address.port}`,
    close: () => new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  });
}
