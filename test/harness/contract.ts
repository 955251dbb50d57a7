/** Servers of tests that hold each question and each answer against an interface's own description, reduced to what is used. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { z } from "zod";

interface Schema {
  readonly type?: string | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly nullable?: boolean | undefined;
  readonly minimum?: number | undefined;
  readonly required?: readonly string[] | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly additionalProperties?: boolean | Schema | undefined;
  readonly items?: Schema | undefined;
  readonly anyOf?: readonly Schema[] | undefined;
  readonly oneOf?: readonly Schema[] | undefined;
  readonly binary?: boolean | undefined;
}
const schemaSchema: z.ZodType<Schema> = z.lazy(() => z.object({
  type: z.string().optional(), enum: z.array(z.unknown()).optional(), nullable: z.boolean().optional(), minimum: z.number().optional(),
  required: z.array(z.string()).optional(), properties: z.record(z.string(), schemaSchema).optional(), additionalProperties: z.union([z.boolean(), schemaSchema]).optional(),
  items: schemaSchema.optional(), anyOf: z.array(schemaSchema).optional(), oneOf: z.array(schemaSchema).optional(), binary: z.boolean().optional(),
}));
const operationSchema = z.object({ method: z.string(), path: z.string(), query: z.array(z.string()), contentType: z.string().optional(), request: schemaSchema.optional(), answers: z.record(z.string(), schemaSchema) });
const contractSchema = z.object({ origin: z.string(), version: z.string(), operations: z.array(operationSchema) });
type Operation = z.infer<typeof operationSchema>;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** What is wrong with a value, a sentence each. */
export function violations(value: unknown, schema: Schema, at = "it"): string[] {
  const choices = schema.anyOf ?? schema.oneOf;
  if (value === null && (schema.nullable === true || choices?.some((one) => one.nullable === true) === true)) return [];
  if (choices !== undefined) return choices.some((one) => violations(value, one, at).length === 0) ? [] : [`${at} is none of what it may be`];
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at} is ${JSON.stringify(value)}, none of ${JSON.stringify(schema.enum)}`];
  if (schema.type === "array") return Array.isArray(value) ? value.flatMap((item, place) => violations(item, schema.items ?? {}, `${at}[${place}]`)) : [`${at} is no list`];
  if (schema.type === "object" || schema.properties !== undefined) return isObject(value) ? objectViolations(value, schema, at) : [`${at} is no object`];
  if (schema.type === "integer" && !Number.isInteger(value)) return [`${at} is no integer`];
  if (schema.type === "number" && typeof value !== "number") return [`${at} is no number`];
  if (schema.minimum !== undefined && typeof value === "number" && value < schema.minimum) return [`${at} is below ${schema.minimum}`];
  if ((schema.type === "string" || schema.type === "boolean") && typeof value !== schema.type) return [`${at} is no ${schema.type}`];
  return [];
}

function objectViolations(value: Record<string, unknown>, { additionalProperties, properties = {}, required = [] }: Schema, at: string): string[] {
  const missing = required.filter((name) => value[name] === undefined).map((name) => `${at} has no ${name}`);
  const fields = Object.entries(value).flatMap(([name, field]) => {
    const known = properties[name];
    if (known !== undefined) return violations(field, known, `${at}.${name}`);
    if (additionalProperties === false) return [`${at} has ${name}, which is not used there`];
    return typeof additionalProperties === "object" ? violations(field, additionalProperties, `${at}.${name}`) : [];
  });
  return [...missing, ...fields];
}

export interface Asked {
  readonly operation: string;
  readonly parameters: readonly string[];
  readonly query: URLSearchParams;
  readonly json: unknown;
  readonly bytes: Buffer;
}
export interface Answer {
  readonly status?: number;
  readonly json?: unknown;
  readonly bytes?: Buffer;
}
/** Instead of an answer: a status, a body that breaks off, or a connection that does. */
export type Fault = number | "cut" | "drop" | undefined;

export interface ContractServer {
  readonly url: string;
  /** `METHOD /path` of every question so far. */
  readonly asked: string[];
  /** What a question or an answer was against the description; empty at the end of a good test. */
  readonly broken: string[];
  /** Asked before each answer. */
  fault: (operation: string, path: string) => Fault;
  close(): Promise<void>;
}

/** @param files of the descriptions, beside the tests */
export async function startContractServer(file: URL, headers: Readonly<Record<string, string>>, answer: (asked: Asked) => Promise<Answer> | Answer): Promise<ContractServer> {
  const { operations } = contractSchema.parse(JSON.parse(await readFile(file, "utf8")));
  const server = createServer((request, response) => void handle(request, response));
  const state: Omit<ContractServer, "url" | "close"> = { asked: [], broken: [], fault: () => undefined };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const bytes = await buffer(request).catch(() => Buffer.alloc(0));
    const url = new URL(request.url ?? "/", "http://test");
    const found = match(operations, request.method ?? "", url.pathname);
    const name = `${request.method ?? ""} ${found?.operation.path ?? url.pathname}`;
    state.asked.push(name);
    const fault = state.fault(name, decodeURIComponent(url.pathname));
    const wrongKey = Object.entries(headers).some(([header, value]) => request.headers[header] !== value);
    if (fault === "drop") {
      request.socket.destroy();
      return;
    }
    if (found === undefined) state.broken.push(`${name} is no operation`);
    if (typeof fault === "number" || wrongKey || found === undefined) {
      send(response, { status: typeof fault === "number" ? fault : wrongKey ? 401 : 404, json: { status: { error: "made up by the test" } } });
      return;
    }
    const { operation } = found;
    const json = request.headers["content-type"]?.includes("json") === true ? (JSON.parse(bytes.toString("utf8")) as unknown) : undefined;
    state.broken.push(...wrongRequest(operation, url.searchParams, request.headers["content-type"], json).map((what) => `${name}: ${what}`));
    const given = await answer({ operation: name, parameters: found.parameters, query: url.searchParams, json, bytes });
    const { status = 200 } = given;
    const expected = operation.answers[String(status)];
    if (status < 300) state.broken.push(...(expected === undefined ? [`answers ${status}`] : expected.binary === true ? [] : violations(given.json, expected)).map((what) => `answer to ${name}: ${what}`));
    (fault === "cut" ? cut : send)(response, given);
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("a TCP server has a port");
  return Object.assign(state, {
    url: `http://127.0.0.1:${bound.port}`,
    close: () => new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  });
}

function match(operations: readonly Operation[], method: string, path: string): { readonly operation: Operation; readonly parameters: readonly string[] } | undefined {
  for (const operation of operations) {
    const pattern = new RegExp(`^${operation.path.replaceAll(/\{[^}]+\}/g, "([^/]+)")}$`);
    const parameters = pattern.exec(path)?.slice(1).map(decodeURIComponent);
    if (operation.method === method && parameters !== undefined) return { operation, parameters };
  }
  return undefined;
}

function wrongRequest({ contentType, query, request }: Operation, given: URLSearchParams, type: string | undefined, json: unknown): string[] {
  const unknown = [...given.keys()].filter((name) => !query.includes(name)).map((name) => `the query has ${name}, which is none of its parameters`);
  if (request === undefined) return unknown;
  if (contentType !== "application/json") return type?.startsWith(contentType ?? "") === true ? unknown : [...unknown, `it is sent as ${type ?? "nothing"}`];
  return [...unknown, ...violations(json, request)];
}

function send(response: ServerResponse, { bytes, json, status = 200 }: Answer): void {
  const body = bytes ?? Buffer.from(JSON.stringify(json ?? {}));
  response.writeHead(status, { "content-type": bytes === undefined ? "application/json" : "application/octet-stream", "content-length": body.length });
  response.end(body);
}

function cut(response: ServerResponse, { bytes, json }: Answer): void {
  const body = bytes ?? Buffer.from(JSON.stringify(json ?? {}));
  response.writeHead(200, { "content-length": body.length });
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.destroy());
}
