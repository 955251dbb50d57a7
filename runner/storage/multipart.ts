import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, PutObjectCommand, UploadPartCommand,
  type CompletedPart,
} from "@aws-sdk/client-s3";
import { messageOf } from "../errors.ts";
import { StorageError } from "./faults.ts";
import { cut, type Part } from "./parts.ts";
import { completeDeadline, deadlines, withDeadline, type Clients } from "./s3-client.ts";

/** Parts on their way at once; one more is being filled meanwhile. More would only cost memory. */
const lanes = 2;

export interface UploadTarget {
  readonly clients: Clients;
  readonly bucket: string;
  /** As the bucket knows it, with the backend's prefix. */
  readonly key: string;
  /** How a person names it. */
  readonly where: string;
  readonly contentType?: string | undefined;
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
  const stop = new AbortController();
  const signal = target.signal === undefined ? stop.signal : AbortSignal.any([target.signal, stop.signal]);
  const stopped = rejection(signal);
  try {
    const parts = cut(source, length, lanes + 1, target.where);
    const next = () => Promise.race([parts.next(), stopped]);
    const first = await next();
    if (first.done === true) throw new TypeError("a stream has at least one part, be it empty");
    if (first.value.last) return await uploadWhole({ ...target, signal }, first.value.data);
    return await uploadInParts({ ...target, signal }, first.value, next, stop);
  } finally {
    source.destroy(); // ends the cutter too, which may be waiting for bytes that never come
  }
}

/** One request: an object that is there as a whole or not at all. */
export async function uploadWhole({ clients, bucket, key, where, contentType, signal, onTaken }: UploadTarget, data: Uint8Array): Promise<{ readonly bytes: number }> {
  const command = new PutObjectCommand({ Bucket: bucket, Key: key, Body: data, ContentLength: data.length, ...(contentType === undefined ? {} : { ContentType: contentType }) });
  await withDeadline(where, { deadline: deadlines.part, signal }, (abortSignal) => clients.quick.send(command, { abortSignal }));
  onTaken?.(data.length);
  return { bytes: data.length };
}

type NextPart = () => Promise<IteratorResult<Part, undefined>>;

async function uploadInParts(target: UploadTarget, first: Part, next: NextPart, stop: AbortController): Promise<{ readonly bytes: number }> {
  const { clients, bucket, key, where, contentType, signal } = target;
  const begin = new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ...(contentType === undefined ? {} : { ContentType: contentType }) });
  const { UploadId: uploadId } = await withDeadline(where, { deadline: deadlines.small, signal }, (abortSignal) => clients.quick.send(begin, { abortSignal }));
  if (uploadId === undefined) throw new StorageError("other", "the store gave the upload no id", where);
  try {
    const { parts, bytes } = await sendParts(target, uploadId, first, next, stop);
    const complete = new CompleteMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId, MultipartUpload: { Parts: parts } });
    await withDeadline(where, { deadline: completeDeadline(bytes), signal }, (abortSignal) => clients.patient.send(complete, { abortSignal }));
    return { bytes };
  } catch (error) {
    await withdraw(target, uploadId, error);
    throw error;
  }
}

/** Sends the parts, `lanes` at a time; the first failure stops the others and is waited for with them. */
async function sendParts(target: UploadTarget, uploadId: string, first: Part, next: NextPart, stop: AbortController): Promise<{ readonly parts: CompletedPart[]; readonly bytes: number }> {
  const sent: CompletedPart[] = [];
  const onTheWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let bytes = 0;
  const fail = (error: unknown) => {
    failure ??= { error };
    stop.abort(error);
  };
  const begin = (part: Part) => {
    bytes += part.data.length;
    const sending = sendPart(target, uploadId, part)
      .then((completed) => void sent.push(completed))
      .catch(fail)
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
    fail(error);
  }
  await Promise.all(onTheWay);
  if (failure !== undefined) throw failure.error;
  return { parts: sent.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0)), bytes };
}

async function sendPart({ clients, bucket, key, where, signal, onTaken }: UploadTarget, uploadId: string, part: Part): Promise<CompletedPart> {
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
    if (reason instanceof Error && reason.cause === undefined) reason.cause = new Error(`the unfinished upload ${uploadId} could not be withdrawn: ${messageOf(error)}`);
  }
}

/** Rejects when the signal fires; nobody has to look. */
function rejection(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const fire = () => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
  if (signal.aborted) fire();
  else signal.addEventListener("abort", fire, { once: true });
  promise.catch(() => undefined);
  return promise;
}
