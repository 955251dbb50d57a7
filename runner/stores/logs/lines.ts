/** What a shipper's object holds: lines of logs in the OpenTelemetry Protocol's JSON, compressed. */
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { z } from "zod";
import { DrError, messageOf } from "../../errors.ts";

export interface LogLine {
  /** When it was written, or read where it does not say; ms since the epoch. */
  readonly time: number;
  readonly text: string;
  /** Where it comes from, as a relative path: `NAMESPACE/POD/CONTAINER.log`, or the file's own name. */
  readonly source: string;
}

const attribute = z.object({ key: z.string(), value: z.object({ stringValue: z.string().optional() }).loose() });
const attributes = z.array(attribute).default([]);
const nanoseconds = z.union([z.string(), z.number()]).optional();
const logRecord = z.object({ timeUnixNano: nanoseconds, observedTimeUnixNano: nanoseconds, body: z.object({ stringValue: z.string().optional() }).loose().default({}), attributes });
const exported = z.object({
  resourceLogs: z.array(z.object({ resource: z.object({ attributes }).default({ attributes: [] }), scopeLogs: z.array(z.object({ logRecords: z.array(logRecord).default([]) })).default([]) })).default([]),
});

const unpack = promisify(gunzip);
/** Many times what a shipper puts into one object; more is no object of its. In bytes. */
const mostUnpacked = 256 * 1024 ** 2;

/** @throws DrError where the object is cut off, or is not what a shipper writes */
export async function readLines(object: Buffer, where: string): Promise<LogLine[]> {
  try {
    const isPacked = object[0] === 0x1f && object[1] === 0x8b;
    const text = (isPacked ? await unpack(object, { maxOutputLength: mostUnpacked }) : object).toString("utf8");
    return linesIn(exported.parse(JSON.parse(text)));
  } catch (cause) {
    throw new DrError({ kind: "failed", what: `the shipped logs cannot be read: ${messageOf(cause)}`, where, todo: "Use the other backend's; both hold every line.", cause });
  }
}

function linesIn({ resourceLogs }: z.infer<typeof exported>): LogLine[] {
  return resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) => logRecords.map((record): LogLine => ({ time: timeOf(record), text: record.body.stringValue ?? JSON.stringify(record.body), source: sourceOf(named(resource.attributes), named(record.attributes)) }))),
  );
}

const named = (list: z.infer<typeof attributes>): ReadonlyMap<string, string> => new Map(list.map(({ key, value }) => [key, value.stringValue ?? ""]));

function timeOf({ timeUnixNano, observedTimeUnixNano }: z.infer<typeof logRecord>): number {
  const written = BigInt(timeUnixNano ?? 0);
  return Number((written === 0n ? BigInt(observedTimeUnixNano ?? 0) : written) / 1_000_000n);
}

/** Each part as a name that leads nowhere else. */
function sourceOf(resource: ReadonlyMap<string, string>, own: ReadonlyMap<string, string>): string {
  const [namespace, pod, container] = ["k8s.namespace.name", "k8s.pod.name", "k8s.container.name"].map((name) => resource.get(name) ?? own.get(name));
  const parts = namespace !== undefined && pod !== undefined && container !== undefined ? [namespace, pod, `${container}.log`] : [(own.get("log.file.path") ?? own.get("log.file.name") ?? "unknown").split("/").at(-1) ?? "unknown"];
  return parts.map((part) => part.replaceAll(/[^A-Za-z0-9._-]/g, "_").replace(/^\.+/, "_")).join("/") || "unknown";
}
