/**
 * Copies a list of objects from one bucket to another with rclone. Its credentials stand in a file that only we can
 * read and that is gone when this returns; its arguments and its environment hold none.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { z } from "zod";
import { DrError, messageOf } from "../../errors.ts";
import { dyingWithUs } from "../../system/dying.ts";
import { writeDurably } from "../../system/files.ts";
import { run } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import type { ObjectBucket } from "./bucket.ts";

/**
 * Objects on their way at once: small ones wait for the line and not for memory; of large ones each takes two parts of
 * 16 MiB and a buffer, about 300 MiB for all. In bytes, what is small.
 */
const transfers = { small: 32, large: 8 } as const;
const small = 8 * 1024 ** 2;

export interface RcloneCopy {
  readonly source: ObjectBucket;
  readonly target: ObjectBucket;
  /** Of the target; in front of the keys. */
  readonly under: string;
  /** Plain ones (`isPlain`), relative to the source's prefix. */
  readonly keys: readonly string[];
  /** Of the largest of them, in bytes. */
  readonly largest: number;
  /** Ours alone: for the configuration and the list. */
  readonly folder: string;
  /** Seconds. */
  readonly deadline: number;
  readonly signal: AbortSignal;
  readonly onCopied: () => void;
}

const logLine = z.object({ level: z.string(), msg: z.string(), object: z.string().optional() });

/** @returns what went wrong, by key; throws where rclone could not do its work at all. */
export async function copyByRclone(copy: RcloneCopy): Promise<ReadonlyMap<string, string>> {
  const { source, target, folder, signal } = copy;
  const rclone = await findProgram("rclone");
  const [config, list, authorities] = ["rclone.conf", "keys", "authorities.pem"].map((name) => join(folder, name)) as [string, string, string];
  const failed = new Map<string, string>();
  const said: string[] = [];
  try {
    await writeDurably(config, `${await remote("source", source)}${await remote("target", target)}`, { mode: 0o600 });
    await writeDurably(list, copy.keys.map((key) => `${key}\n`).join(""), { mode: 0o600 });
    const ca = await writeAuthorities([source, target], authorities);
    const from = `source:${source.config.bucket}${source.config.prefix === "" ? "" : `/${source.config.prefix}`}`;
    const to = `target:${target.config.bucket}/${target.full(copy.under).replace(/\/$/, "")}`;
    // An orphan could overwrite what a later run has copied with what it read before.
    const [program, args] = await dyingWithUs(rclone, ["copy", from, to, "--config", config, "--cache-dir", folder, "--files-from-raw", list, ...options, "--transfers", String(copy.largest <= small ? transfers.small : transfers.large), ...(ca ? ["--ca-cert", authorities] : [])]);
    const { code } = await run(program, args, {
      deadline: copy.deadline, signal, accept: [0, 1, 2, 3, 4, 5, 6, 7, 8],
      onLine: (line) => {
        const entry = parseLogLine(line);
        if (entry === undefined || entry.level !== "error") {
          if (entry?.msg.startsWith("Copied") === true) copy.onCopied();
        } else if (entry.object !== undefined && entry.object !== "") failed.set(entry.object, entry.msg.replaceAll(/\s+/g, " "));
        else said.push(entry.msg);
      },
    });
    if (code !== 0 && failed.size === 0) throw new DrError({ kind: "failed", what: `rclone ended with exit code ${code}${said.length === 0 ? "" : `: ${said.slice(-3).join("; ")}`}`, where: `${from} to ${to}`, todo: "See whether both buckets answer." });
    return failed;
  } finally {
    await rm(config, { force: true });
  }
}

/** Each is judged and decided upon before: rclone looks at nothing of the target and tries nothing twice. */
const options: readonly string[] = [
  "--no-traverse", "--no-check-dest", "--s3-no-check-bucket", "--s3-no-head", "--retries", "1", "--low-level-retries", "3",
  "--metadata", // content types and what the objects' owners wrote on them
  "--expect-continue-timeout", "0", // nobody answers, and each object waited for it (facts, tools)
  "--contimeout", "5s", "--timeout", "60s",
  "--checkers", "16", "--buffer-size", "1Mi", "--s3-chunk-size", "16Mi", "--s3-upload-concurrency", "2", "--s3-disable-http2",
  "--use-json-log", "--log-level", "INFO", "--stats", "0",
];

async function remote(name: string, bucket: ObjectBucket): Promise<string> {
  const { endpoint, region } = bucket.config;
  const { accessKeyId, secretAccessKey, sessionToken } = await bucket.credentials();
  const lines = [`[${name}]`, "type = s3", "provider = Other", `endpoint = https://${endpoint}`, `region = ${region}`, "force_path_style = true", "env_auth = false", `access_key_id = ${accessKeyId}`, `secret_access_key = ${secretAccessKey}`, ...(sessionToken === undefined ? [] : [`session_token = ${sessionToken}`])];
  return `${lines.join("\n")}\n`;
}

/** rclone trusts one file's authorities and then no others: it holds all that either side needs. */
async function writeAuthorities(buckets: readonly ObjectBucket[], path: string): Promise<boolean> {
  const files = buckets.map(({ config }) => config.caFile);
  if (files.every((file) => file === undefined)) return false;
  const own = await Promise.all(files.map(async (file) => (file === undefined ? rootCertificates.join("\n") : readFile(file, "utf8"))));
  await writeDurably(path, [...new Set(own)].join("\n"));
  return true;
}

function parseLogLine(line: string): z.infer<typeof logLine> | undefined {
  try {
    return logLine.parse(JSON.parse(line));
  } catch (error) {
    // Go's own complaints are no JSON; the exit code tells that there was one.
    return line.trim() === "" ? undefined : { level: "error", msg: line.trim() === "" ? messageOf(error) : line.trim() };
  }
}
