import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { minutes } from "../../plan/units.ts";
import type { Plan } from "../../plan/types.ts";
import type { RunContext } from "../context.ts";
import { DrError, messageOf } from "../errors.ts";
import { secondsSince } from "../system/clock.ts";
import { Reader } from "./read.ts";
import { contentType, renderPage } from "./render.ts";
import { pageOf } from "./samples.ts";

export interface ExporterOptions {
  /** Default: this machine alone. */
  readonly address?: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Called once it listens. */
  readonly onListening?: (url: string) => void;
}

/** Looks that fit into the time after which what is shown counts as stale. */
const looksUntilStale = 10;
/** So many times as long as any other may the first look take. */
const firstLook = 6;
/** Seconds that connections have to end by themselves when the exporter is stopped. */
const farewell = 2;

/** Seconds between the beginnings of two looks. */
export function lookInterval(plan: Plan): number {
  const stale = plan.alerts.flatMap((alert) => (alert.kind === "metrics-stale" ? [alert.above] : []));
  return Math.max(1, Math.min(minutes(10), ...stale) / looksUntilStale);
}

/**
 * Serves `/metrics` and `/healthz` until the run's signal fires. It looks at the catalog and the buckets by itself, and
 * a scrape is answered from what was seen: a backend that hangs holds up no scrape.
 * @throws DrError where it cannot listen
 */
export async function runExporter(context: RunContext, options: ExporterOptions): Promise<void> {
  const { plan, signal } = context;
  const interval = lookInterval(plan);
  const reader = new Reader(context);
  let lookBegan: number | undefined;
  const health = (): string | undefined => {
    const looking = lookBegan === undefined ? 0 : secondsSince(lookBegan);
    // The first look reads every record, tens of thousands from the other side of the world.
    return looking > (reader.looks === 0 ? firstLook : 1) * looksUntilStale * interval ? `a look at the backends has been going on for ${Math.round(looking)} s` : undefined;
  };
  const page = () => renderPage(pageOf(plan, reader.facts, context.clock.now().getTime()));
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    answer(request, response, page, health).catch((error: unknown) => {
      context.report({ step: `a scrape failed: ${messageOf(error)}` });
      response.destroy();
    });
  });
  const url = await listen(server, options);
  options.onListening?.(url);
  try {
    let said = "";
    while (!signal.aborted) {
      lookBegan = performance.now();
      const problems = await reader.look().catch((error: unknown): readonly string[] => (signal.aborted ? [] : [messageOf(error)]));
      const took = secondsSince(lookBegan);
      lookBegan = undefined;
      // Said when it changes: a backend that is down for a day would fill the log.
      const text = problems.join("; ");
      if (text !== said) context.report({ step: text === "" ? "everything can be read" : `not everything could be read: ${text}` });
      said = text;
      await sleep(Math.max(interval / looksUntilStale, interval - took) * 1_000, undefined, { signal }).catch(() => undefined); // stopped
    }
  } finally {
    await close(server);
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}

async function answer(request: IncomingMessage, response: ServerResponse, page: () => Promise<string>, health: () => string | undefined): Promise<void> {
  const { status, text, type = "text/plain; charset=utf-8" } = await answerTo(request, page, health);
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text), "cache-control": "no-store" });
  response.end(request.method === "HEAD" ? "" : text);
}

async function answerTo({ method, url = "" }: IncomingMessage, page: () => Promise<string>, health: () => string | undefined): Promise<Answer> {
  if (method !== "GET" && method !== "HEAD") return { status: 405, text: "GET is all that there is\n" };
  const path = url.split("?")[0];
  if (path === "/metrics") return { status: 200, text: await page(), type: contentType };
  if (path !== "/healthz") return { status: 404, text: "/metrics and /healthz are here\n" };
  const trouble = health();
  return trouble === undefined ? { status: 200, text: "ok\n" } : { status: 503, text: `${trouble}\n` };
}

async function listen(server: Server, { address = "127.0.0.1", port }: ExporterOptions): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(new DrError({ kind: "unavailable", what: `the exporter cannot listen: ${messageOf(cause)}`, where: `${address}:${port}`, todo: "Choose another --address or --port, or end what listens there.", cause })));
    server.listen(port, address, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("a TCP server has a port");
  return `http://${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), farewell * 1_000);
  await closed;
  clearTimeout(timer);
}
