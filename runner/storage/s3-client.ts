import { readFile } from "node:fs/promises";
import { Agent } from "node:https";
import { Readable } from "node:stream";
import { S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { S3BackendConfig } from "../config.ts";
import { DrError, messageOf } from "../errors.ts";
import { readCredentials } from "./credentials.ts";
import { StorageError } from "./faults.ts";

/** Seconds, each with the reason why it is not less. */
export const deadlines = {
  /** A TCP connection to the other side of the world takes half a second; a dead host must not hold up a recovery. */
  connect: 5,
  /** Requests without much data: list, head, delete, begin and abort an upload. All tries together. */
  small: 15,
  /** A part of 16 MiB at 64 KiB/s, slower than which no backup is worth waiting for. */
  part: 300,
  /** A store that has just failed is not waited for any longer than that to take back an upload. */
  withdraw: 10,
  /** A connection on which nothing moves is given up and the request sent again, before a fan-out calls it a stall. */
  silence: 25,
} as const;

/**
 * Seconds until an upload must be put together, in silence: S3 takes minutes for large objects, and a server that
 * copies the parts does no less than 16 MiB in a second.
 */
export const completeDeadline = (bytes: number): number => 120 + bytes / (16 * 1024 ** 2);

/** What is handed to TLS at once, in bytes. */
const slice = 256 * 1024;

/** The first try and two more: what passes in a second is passed over, and what lasts is the caller's to judge. */
const tries = 3;

export interface SendOptions {
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Clients {
  /** Gives a silent connection up early. */
  readonly quick: S3Client;
  /** For the one request whose answer is long in coming: to put an upload together. */
  readonly patient: S3Client;
  close(): void;
}

export async function openClients(config: S3BackendConfig, onRequest: () => void): Promise<Clients> {
  const [credentials, ca] = await Promise.all([config.credentialsFile === undefined ? undefined : readCredentials(config.credentialsFile), readAuthorities(config)]);
  const httpsAgent = new Agent({ keepAlive: true, maxSockets: 32, ...(ca === undefined ? {} : { ca }) });
  const open = (silence: number): S3Client => {
    const client = new S3Client({
      endpoint: endpointOf(config),
      region: config.region,
      // Without a file, the SDK's own chain: in a pod, the web identity of its service account.
      ...(credentials === undefined ? {} : { credentials }),
      forcePathStyle: true,
      maxAttempts: tries,
      retryMode: "standard",
      // R2 and other stores refuse the checksums that new SDKs add by themselves
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      expectContinueHeader: false, // nobody here waits for the answer to it, and servers only lose time
      requestHandler: new SlicingHandler({ connectionTimeout: deadlines.connect * 1_000, socketTimeout: silence * 1_000, httpsAgent }),
    });
    client.middlewareStack.add(
      (next) => (args) => {
        onRequest(); // after the retries, so that each try counts
        return next(args);
      },
      { step: "deserialize", name: "countRequests" },
    );
    return client;
  };
  const quick = open(deadlines.silence);
  const patient = open(0); // no limit but the request's own deadline
  return { quick, patient, close: () => httpsAgent.destroy() };
}

/**
 * Sends a body that is in memory slice by slice. As a whole, TLS would copy all of it before the first byte is sent: as
 * much memory again for every part on its way. The SDK still holds the body itself, so it can sign and repeat it.
 */
class SlicingHandler extends NodeHttpHandler {
  override async handle(...[request, options]: Parameters<NodeHttpHandler["handle"]>): ReturnType<NodeHttpHandler["handle"]> {
    const body: unknown = request.body;
    if (!(body instanceof Uint8Array) || body.length <= slice) return super.handle(request, options);
    request.body = Readable.from(slices(body), { objectMode: false, highWaterMark: slice });
    try {
      return await super.handle(request, options);
    } finally {
      request.body = body; // for the next try
    }
  }
}

function* slices(body: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < body.length; from += slice) yield body.subarray(from, from + slice);
}

function endpointOf(config: S3BackendConfig): string {
  if (config.endpoint.includes("://")) {
    throw new DrError({ kind: "usage", what: `the endpoint \`${config.endpoint}\` has a scheme`, where: `backend ${config.name}`, todo: "Write HOST or HOST:PORT; it is always reached by TLS." });
  }
  return `https://${config.endpoint}`;
}

async function readAuthorities(config: S3BackendConfig): Promise<Buffer | undefined> {
  if (config.caFile === undefined) return undefined;
  const { caFile } = config;
  return readFile(caFile).catch((cause: unknown) => {
    throw new DrError({ kind: "unavailable", what: `the authority's file of backend ${config.name} cannot be read: ${messageOf(cause)}`, where: caFile, todo: "Mount the certificate of the authority there, or leave `caFile` out to trust the system's.", cause });
  });
}

/**
 * Sends a command with a deadline for all its tries together. `signal` ends it earlier; neither reaches into a body
 * that is still being read after this has returned.
 */
export async function withDeadline<T>(where: string, { deadline, signal }: SendOptions, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const late = new StorageError("no-answer", `the store did not answer within ${deadline} s`, where);
  const timer = setTimeout(() => controller.abort(late), deadline * 1_000);
  const forward = () => controller.abort(signal?.reason);
  signal?.addEventListener("abort", forward, { once: true });
  try {
    return await send(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", forward);
  }
}
