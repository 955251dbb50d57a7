import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, NoSuchUpload, PutObjectCommand, UploadPartCommand,
  type CompletedPart,
} from "@aws-sdk/client-s3";
import { messageOf } from "../errors.ts";
import { StorageError } from "./faults.ts";
import { Halt } from "./halt.ts";
import { cut, type Part } from "./parts.ts";
import { completeDeadline, deadlines, withDeadline, type Clients } from "./s3-client.ts";

/**
 * Parts on their way at once; one more is being filled meanwhile. Fewer leave the line idle while a store confirms a
 * part, more only cost memory.
 */
const lanes = 3;

export interface UploadTarget {
  readonly clients: Clients;
  readonly bucket: string;
  /** As the bucket knows it, with the backend's prefix. */
  readonly key: string;
  /** How a person names it. */
  readonly where: string;
  readonly contentType?: string | undefined;
  /** The object's own, as its owner set it. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Of an archive; default: the bucket's. */
  readonly storageClass?: "GLACIER" | "DEEP_ARCHIVE" | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onTaken?: ((bytes: number) => void) | undefined;
}

/**
 * Uploads a stream in parts of `length` bytes, or by one request where it fits into one. Whatever goes wrong, the
 * upload is withdrawn before this throws, so that no half of it is ever listed or paid for.
 *
 * This is not `Upload` of @aws-sdk/lib-storage (read at 3.1169): that neither stops its requests when it is aborted
 * nor waits for the abort to reach the store.
 */
export async function upload(target: UploadTarget, source: Readable, length: number): Promise<{ readonly bytes: number }> {
  const halt = new Halt(target.signal);
  try {
    const parts = cut(source, length, lanes + 1, target.where);
    const next = () => Promise.race([parts.next(), halt.stopped]);
    const first = await next();
    if (first.done === true) throw new TypeError("a stream has at least one part, be it empty");
    if (first.value.last) return await sendWhole(target, first.value.data, halt);
    return await uploadInParts(target, first.value, next, halt);
  } finally {
    halt.release();
    source.destroy(); // ends the cutter too, which may be waiting for bytes that never come
  }
}

/** Uploads what is in memory by one request. */
export async function uploadWhole(target: UploadTarget, data: Uint8Array): Promise<{ readonly bytes: number }> {
  target.signal?.throwIfAborted();
  const halt = new Halt(target.signal);
  try {
    return await sendWhole(target, data, halt);
  } finally {
    halt.release();
  }
}

/** One request: an object that is there as a whole or not at all. */
async function sendWhole({ clients, bucket, key, where, contentType, metadata, storageClass, onTaken }: UploadTarget, data: Uint8Array, halt: Halt): Promise<{ readonly bytes: number }> {
  const command = new PutObjectCommand({ Bucket: bucket, Key: key, Body: data, ContentLength: data.length, ...headersOf({ contentType, metadata, storageClass }) });
  await withDeadline(where, { deadline: deadlines.part, signal: halt.requests }, (abortSignal) => clients.quick.send(command, { abortSignal }));
  onTaken?.(data.length);
  return { bytes: data.length };
}

const headersOf = ({ contentType, metadata, storageClass }: Pick<UploadTarget, "contentType" | "metadata" | "storageClass">) => ({
  ...(contentType === undefined ? {} : { ContentType: contentType }),
  ...(metadata === undefined ? {} : { Metadata: metadata }),
  ...(storageClass === undefined ? {} : { StorageClass: storageClass }),
});

type NextPart = () => Promise<IteratorResult<Part, undefined>>;

async function uploadInParts(target: UploadTarget, first: Part, next: NextPart, halt: Halt): Promise<{ readonly bytes: number }> {
  const { clients, bucket, key, where, contentType, metadata, storageClass } = target;
  const begin = new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ...headersOf({ contentType, metadata, storageClass }) });
  const { UploadId: uploadId } = await withDeadline(where, { deadline: deadlines.small, signal: halt.requests }, (abortSignal) => clients.quick.send(begin, { abortSignal }));
  if (uploadId === undefined) throw new StorageError("other", "the store gave the upload no id", where);
  try {
    const { parts, bytes } = await sendParts(target, uploadId, first, next, halt);
    const complete = new CompleteMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId, MultipartUpload: { Parts: parts } });
    await withDeadline(where, { deadline: completeDeadline(bytes), signal: halt.requests }, (abortSignal) => clients.patient.send(complete, { abortSignal }));
    return { bytes };
  } catch (error) {
    for (let times = halt.wasCutOff ? 2 : 1; times > 0; times -= 1) await withdraw(target, uploadId, error);
    throw error;
  }
}

/** Sends the parts, `lanes` at a time; the first failure stops the others and is waited for with them. */
async function sendParts(target: UploadTarget, uploadId: string, first: Part, next: NextPart, halt: Halt): Promise<{ readonly parts: CompletedPart[]; readonly bytes: number }> {
  const sent: CompletedPart[] = [];
  const onTheWay = new Set<Promise<void>>();
  let bytes = 0;
  const begin = (part: Part) => {
    bytes += part.data.length;
    const sending = sendPart(target, uploadId, part, halt.requests)
      .then((completed) => void sent.push(completed))
      .catch((error: unknown) => halt.stop(error))
      .finally(() => onTheWay.delete(sending));
    onTheWay.add(sending);
  };
  try {
    begin(first);
    for (let step = await next(); step.done !== true; step = await next()) {
      begin(step.value);
      if (onTheWay.size >= lanes) await Promise.race(onTheWay);
    }
  } catch (error) {
    halt.stop(error);
  }
  await Promise.all(onTheWay);
  if (halt.reason !== undefined) throw halt.reason.error;
  return { parts: sent.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0)), bytes };
}

async function sendPart({ clients, bucket, key, where, onTaken }: UploadTarget, uploadId: string, part: Part, signal: AbortSignal): Promise<CompletedPart> {
  const command = new UploadPartCommand({ Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: part.number, Body: part.data, ContentLength: part.data.length });
  const { ETag } = await withDeadline(where, { deadline: deadlines.part, signal }, (abortSignal) => clients.quick.send(command, { abortSignal }));
  if (ETag === undefined) throw new StorageError("other", `the store gave part ${part.number} no ETag`, where);
  const { length } = part.data;
  part.release(); // not on failure: a request that was cut may still look at the buffer
  onTaken?.(length);
  return { PartNumber: part.number, ETag };
}

/** Withdraws what was begun. A store that is gone cannot be told: its lifecycle rule for unfinished uploads does it. */
async function withdraw({ clients, bucket, key, where }: UploadTarget, uploadId: string, reason: unknown): Promise<void> {
  const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId });
  try {
    await withDeadline(where, { deadline: deadlines.withdraw }, (abortSignal) => clients.quick.send(command, { abortSignal }));
  } catch (error) {
    if (error instanceof NoSuchUpload) return; // it is gone already
    if (reason instanceof Error && reason.cause === undefined) reason.cause = new Error(`the unfinished upload ${uploadId} could not be withdrawn: ${messageOf(error)}`);
  }
}
