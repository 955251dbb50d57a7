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

/** Why no answer came. `refused`: nobody listens there, or nobody can be reached. */
export type HttpFault = "refused" | "certificate" | "late" | "other";

/** A server's refusal or failure to answer. `status` is absent where no answer came, `fault` where one did. */
export class HttpError extends DrError {
  readonly status: number | undefined;
  readonly fault: HttpFault | undefined;

  constructor(details: ConstructorParameters<typeof DrError>[0], { status, fault }: { readonly status?: number; readonly fault?: HttpFault } = {}) {
    super(details);
    this.status = status;
    this.fault = fault;
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
  const base = baseOf(name, url);
  const ca = caFile === undefined ? undefined : await readFile(caFile, "utf8").catch((cause: unknown) => {
    throw new DrError({ kind: "unavailable", what: `the authority of ${name}'s certificate cannot be read: ${messageOf(cause)}`, where: caFile, todo: "Mount it there.", cause });
  });
  const dispatcher = new Agent({ connect: { timeout: connectDeadline * 1_000, ...(ca === undefined ? {} : { ca }) }, headersTimeout: 0, bodyTimeout: silence * 1_000 });
  const send = async (asked: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> => {
    const { method = "GET", path, json, body, headers: more = {} } = asked;
    const where = `${method} ${base}${withoutQuery(path)}`;
    const content = json === undefined ? body : JSON.stringify(json);
    const response = await request(`${base}${path}`, { method, dispatcher, signal, headers: { ...headers, ...(json === undefined ? {} : { "content-type": "application/json" }), ...more }, ...(content === undefined ? {} : { body: content }) }).catch((error: unknown) => {
      asked.signal?.throwIfAborted();
      throw unreachable(name, where, error, asked.deadline);
    });
    const { statusCode: status, headers: answered } = response;
    if ((status >= 200 && status < 300) || (asked.accept ?? []).includes(status)) return response;
    const complaint = await textOf(response.body).catch(() => "");
    throw new HttpError(refusalOf(name, where, { status, location: answered["location"], complaint: withoutSecrets(complaint, { ...headers, ...more }) }), { status });
  };
  const text = async (asked: HttpRequest) => {
    const signal = AbortSignal.any([AbortSignal.timeout((asked.deadline ?? smallDeadline) * 1_000), ...(asked.signal === undefined ? [] : [asked.signal])]);
    const response = await send(asked, signal);
    const answer = await textOf(response.body).catch((error: unknown) => {
      asked.signal?.throwIfAborted();
      throw unreachable(name, `${base}${withoutQuery(asked.path)}`, error, asked.deadline);
    });
    return { status: response.statusCode, text: answer };
  };
  return {
    name,
    url: base,
    text,
    async json(schema, asked) {
      const answer = await text(asked);
      return parseAnswer(schema, answer.text, `the answer of ${name}`, `${base}${withoutQuery(asked.path)}`);
    },
    async stream(asked) {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(new DOMException("late", "TimeoutError")), (asked.deadline ?? smallDeadline) * 1_000);
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

/** An address goes into errors and logs, so no secret may stand in it. */
function baseOf(name: string, url: string): string {
  const wrong = (what: string, where: string, todo: string) => new DrError({ kind: "usage", what: `the address of ${name} ${what}`, where, todo });
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) throw wrong("is no URL", url, "Write it like https://host:port.");
  if (parsed.username !== "" || parsed.password !== "") throw wrong("holds credentials", parsed.host, "Leave them out; they belong into a file.");
  return url.replace(/\/+$/, "");
}

/** A query can name what an error should not. */
const withoutQuery = (path: string): string => path.split("?")[0] ?? path;

/** Shorter ones are words of the protocol, such as `gzip`. */
const leastSecret = 8;

/** A server may repeat what it was sent. */
function withoutSecrets(text: string, headers: Readonly<Record<string, string>>): string {
  const secrets = Object.values(headers).flatMap((value) => [value, value.replace(/^(Bearer|Basic) /, "")]);
  return secrets.filter(({ length }) => length >= leastSecret).reduce((kept, secret) => kept.replaceAll(secret, "…"), text);
}

/** What a server said, as `schema` has it. What it said is not repeated: an answer can be a token. */
export function parseAnswer<T>(schema: z.ZodType<T>, text: string, what: string, where: string): T {
  const wrong = (why: string) => new HttpError({ kind: "failed", what: `${what} is not what its interface promises: ${why}`, where, todo: "See whether another program answers there, or another version of it." });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong(`no JSON${/^\s*</.test(text) ? " but a page" : ""}, ${text.length} characters`);
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

function unreachable(name: string, where: string, error: unknown, deadline = smallDeadline): HttpError {
  const fault = faultOf(error);
  const reason = fault === "late" ? `no whole answer within ${deadline} s` : reasonOf(error);
  return new HttpError({ kind: "unavailable", what: `${name} did not answer: ${reason}`, where, todo: todoOf[fault], cause: error }, { fault });
}

const todoOf: Readonly<Record<HttpFault, string>> = {
  refused: "See whether it runs, and whether its address and its port are right.",
  certificate: "See whether the authority of its certificate is the configured one, whether the certificate is for this name, and whether it is still valid.",
  late: "See whether it is overloaded or hangs; its log says.",
  other: "Read its log: it or something between broke the connection off.",
};

const refusals: ReadonlySet<string> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT"]);
/** OpenSSL's names for what is wrong with a certificate, and Node's for another host's. */
const certificateFault = /^(ERR_TLS_CERT|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY|DECODE)|HOSTNAME_MISMATCH|INVALID_CA)/;

function faultOf(error: unknown): HttpFault {
  const inner = innermost(error);
  const code = inner instanceof Error && "code" in inner ? String(inner.code) : "";
  if (refusals.has(code)) return "refused";
  if (certificateFault.test(code)) return "certificate";
  return inner instanceof Error && inner.name === "TimeoutError" ? "late" : "other";
}

/** The innermost reason: a library's `fetch failed` helps nobody. */
function innermost(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  return error instanceof Error && error.cause instanceof Error ? innermost(error.cause) : error;
}

function reasonOf(error: unknown): string {
  const inner = innermost(error);
  return messageOf(inner) || String(inner);
}

const advice = (status: number): { readonly kind: "unavailable" | "failed"; readonly todo: string } => {
  if (status === 401 || status === 403) return { kind: "unavailable", todo: "Look at the credentials and at what they may do." };
  if (status === 404) return { kind: "failed", todo: "See whether what was asked for exists, and whether the address is the interface's." };
  if (status === 429 || status >= 500) return { kind: "unavailable", todo: "Read the server's log; try again when it is well." };
  if (status >= 300 && status < 400) return { kind: "failed", todo: "Configure the address that it names: what opens this server is not sent to another." };
  return { kind: "failed", todo: "Read the server's message." };
};

interface Refusal {
  readonly status: number;
  readonly location: string | string[] | undefined;
  readonly complaint: string;
}

function refusalOf(name: string, where: string, { status, location, complaint }: Refusal): ConstructorParameters<typeof DrError>[0] {
  const said = complaint.replaceAll(/\s+/g, " ").trim().slice(0, mostComplaint);
  const elsewhere = location === undefined ? "" : ` and names ${withoutQuery(String(location))}`;
  return { ...advice(status), what: `${name} answered ${status}${elsewhere}${said === "" ? "" : `: ${said}`}`, where };
}
