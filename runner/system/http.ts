import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { Agent, request, type Dispatcher } from "undici";
import type { z } from "zod";
import { DrError, messageOf } from "../errors.ts";

/** Seconds that a connection to the other side of the world may take; a dead host must not hold up a recovery. */
const connectDeadline = 5;
/** Seconds for a request with a small answer, from its beginning to its answer's end. */
const smallDeadline = 30;
/** Seconds on which nothing moves, after which a stream is given up. */
const silence = 60;
/** Bytes of an answer that was to be small; more is not read. */
const mostText = 64 * 1024 ** 2;
/** Characters of a server's complaint that an error repeats. */
const mostComplaint = 300;

export interface HttpServerOptions {
  /** For people, e.g. `Vault`. */
  readonly name: string;
  /** `https://host:port`, with a path in front of all paths where there is one. */
  readonly url: string;
  /** The authority of the server's certificate; default: the system's. */
  readonly caFile?: string | undefined;
  /** Sent with every request; the values may be secret and are never told. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpRequest {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
  /** Behind the server's URL, with its query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; instead of `json`. */
  readonly body?: Readable | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that are an answer beside 2xx. */
  readonly accept?: readonly number[];
  /** Seconds; default 30. For a stream: until its headers. */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
}

/** A server's refusal or failure to answer. `status` is absent where no answer came. */
export class HttpError extends DrError {
  readonly status: number | undefined;

  constructor(details: ConstructorParameters<typeof DrError>[0], status?: number) {
    super(details);
    this.status = status;
  }
}

/** One server that is spoken to by HTTP: connections kept, deadlines, authorities, errors in words. */
export interface HttpServer {
  readonly name: string;
  readonly url: string;
  /** The answer's status and text. */
  text(request: HttpRequest): Promise<{ readonly status: number; readonly text: string }>;
  /** The answer as JSON of that shape. Throws an `HttpError` where it is anything else. */
  json<T>(schema: z.ZodType<T>, request: HttpRequest): Promise<T>;
  /** The answer as a stream; one that breaks off is an error of the stream. */
  stream(request: HttpRequest): Promise<{ readonly status: number; readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly body: Readable }>;
  close(): Promise<void>;
}

/** @throws DrError where the URL is none, or the authority's file cannot be read */
export async function openHttpServer({ name, url, caFile, headers = {} }: HttpServerOptions): Promise<HttpServer> {
  if (!URL.canParse(url)) throw new DrError({ kind: "usage", what: `the address of ${name} is no URL`, where: url, todo: "Write it like https://host:port." });
  const base = url.replace(/\/+$/, "");
  const ca = caFile === undefined ? undefined : await readFile(caFile, "utf8").catch((cause: unknown) => {
    throw new DrError({ kind: "unavailable", what: `the authority of ${name}'s certificate cannot be read: ${messageOf(cause)}`, where: caFile, todo: "Mount it there.", cause });
  });
  const dispatcher = new Agent({ connect: { timeout: connectDeadline * 1_000, ...(ca === undefined ? {} : { ca }) }, headersTimeout: 0, bodyTimeout: silence * 1_000 });
  const send = async (asked: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> => {
    const { method = "GET", path, json, body, headers: more = {} } = asked;
    const where = `${method} ${base}${path.split("?")[0] ?? path}`;
    const content = json === undefined ? body : JSON.stringify(json);
    const response = await request(`${base}${path}`, { method, dispatcher, signal, headers: { ...headers, ...(json === undefined ? {} : { "content-type": "application/json" }), ...more }, ...(content === undefined ? {} : { body: content }) }).catch((error: unknown) => {
      asked.signal?.throwIfAborted();
      throw unreachable(name, where, error);
    });
    const { statusCode } = response;
    if ((statusCode >= 200 && statusCode < 300) || (asked.accept ?? []).includes(statusCode)) return response;
    const complaint = await textOf(response.body).catch(() => "");
    throw new HttpError(refusalOf(name, where, statusCode, complaint), statusCode);
  };
  const text = async (asked: HttpRequest) => {
    const signal = AbortSignal.any([AbortSignal.timeout((asked.deadline ?? smallDeadline) * 1_000), ...(asked.signal === undefined ? [] : [asked.signal])]);
    const response = await send(asked, signal);
    const answer = await textOf(response.body).catch((error: unknown) => {
      asked.signal?.throwIfAborted();
      throw unreachable(name, `${base}${asked.path}`, error);
    });
    return { status: response.statusCode, text: answer };
  };
  return {
    name,
    url: base,
    text,
    async json(schema, asked) {
      const answer = await text(asked);
      return parseAnswer(schema, answer.text, `the answer of ${name}`, `${base}${asked.path}`);
    },
    async stream(asked) {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(new Error(`no answer within ${asked.deadline ?? smallDeadline} s`)), (asked.deadline ?? smallDeadline) * 1_000);
      try {
        const { statusCode, headers: answered, body } = await send(asked, AbortSignal.any([late.signal, ...(asked.signal === undefined ? [] : [asked.signal])]));
        return { status: statusCode, headers: answered, body };
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => dispatcher.destroy(),
  };
}

/** What a server said, as `schema` has it. */
export function parseAnswer<T>(schema: z.ZodType<T>, text: string, what: string, where: string): T {
  const wrong = (why: string, cause?: unknown) => new HttpError({ kind: "failed", what: `${what} is not what its interface promises: ${why}`, where, todo: "See whether another program answers there, or another version of it.", cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong(`no JSON: ${text.slice(0, mostComplaint)}`, cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw wrong(parsed.error.issues.map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`).join("; "));
}

async function textOf(body: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > mostText) throw new RangeError(`the answer is longer than ${mostText} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function unreachable(name: string, where: string, error: unknown): HttpError {
  return new HttpError({ kind: "unavailable", what: `${name} did not answer: ${reasonOf(error)}`, where, todo: "See whether it runs, and whether its address, its port and the authority of its certificate are right.", cause: error });
}

/** The innermost reason: a library's `fetch failed` helps nobody. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error instanceof Error && error.cause instanceof Error) return reasonOf(error.cause);
  return messageOf(error) || String(error);
}

const advice = (status: number): { readonly kind: "unavailable" | "failed"; readonly todo: string } => {
  if (status === 401 || status === 403) return { kind: "unavailable", todo: "Look at the credentials and at what they may do." };
  if (status === 404) return { kind: "failed", todo: "See whether what was asked for exists, and whether the address is the interface's." };
  if (status === 429 || status >= 500) return { kind: "unavailable", todo: "Read the server's log; try again when it is well." };
  return { kind: "failed", todo: "Read the server's message." };
};

function refusalOf(name: string, where: string, status: number, complaint: string): ConstructorParameters<typeof DrError>[0] {
  const said = complaint.replaceAll(/\s+/g, " ").trim().slice(0, mostComplaint);
  return { ...advice(status), what: `${name} answered ${status}${said === "" ? "" : `: ${said}`}`, where };
}
