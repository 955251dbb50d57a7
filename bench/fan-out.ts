import { mkdir, mkdtemp, open, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { formatSize, gib, mib, mibPerSecond } from "../plan/units.ts";
import { issue, makeAuthority } from "../drill/environments/certificates.ts";
import { startS3Server, type S3Server } from "../drill/environments/servers/s3.ts";
import { DrError } from "../runner/errors.ts";
import { readCredentials } from "../runner/storage/credentials.ts";
import { run, startServer, type Server } from "../runner/system/process.ts";
import { findProgram } from "../runner/system/programs.ts";
import { waitFor } from "../runner/system/wait.ts";
import type { BenchRow } from "./row.ts";

/** The figures of issue 3. */
const streamSize = gib(1);
const proxyRate = mibPerSecond(40);
const ratioLimit = 1.15;
/** Taken in turns, and the better of each: what else the machine does disturbs one more than the other. */
const rounds = 2;
const memorySize = gib(8);
const memoryLimit = mib(256);

/** Seconds; far above what each takes, as a bench ends by its figures and not by a clock. */
const deadline = 900;

interface Store {
  readonly server: S3Server;
  readonly relay: Server;
  readonly relayPort: number;
}

/** One stream to two stores at once, against the slower of two single copies by rclone; and the memory that it takes. */
export async function benchFanOut(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "bench-fan-out-"));
  const stores: Store[] = [];
  try {
    const authority = await makeAuthority(join(folder, "ca"));
    const certificate = await issue(authority, { name: "s3", hosts: ["localhost", "127.0.0.1"] });
    for (const name of ["r2", "s3"]) {
      const server = await startS3Server({ folder: join(folder, name), port: 0, certificate, bucket: `bench-${name}`, attributes: "files", logFile: join(folder, `${name}.log`) });
      stores.push({ server, ...(await startRelayProcess(folder, name, server)) });
    }
    return [await benchSpeed(folder, stores), await benchMemory(folder, stores)];
  } finally {
    for (const { server, relay } of stores) {
      await relay.kill();
      await server.kill();
    }
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchSpeed(folder: string, stores: readonly Store[]): Promise<BenchRow> {
  const file = join(folder, "stream");
  const handle = await open(file, "w");
  await handle.truncate(streamSize);
  await handle.close();
  const single = stores.map(() => Infinity);
  let seconds = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, store] of stores.entries()) single[index] = Math.min(single[index] ?? Infinity, await rcloneCopy(folder, store, file, `bench/single-${round}`));
    seconds = Math.min(seconds, (await fanOut(folder, stores, { key: "bench/stream", bytes: streamSize, file, relayed: true })).seconds);
  }
  const slower = Math.max(...single);
  const ratio = seconds / slower;
  return {
    what: "one 1 GiB stream to two S3 backends, each behind a proxy of 40 MiB/s",
    against: "the slower of two single copies by rclone through the same proxies",
    reach: `≤ ${ratioLimit}`,
    measured: `${ratio.toFixed(2)} (${seconds.toFixed(1)} s against ${single.map((each) => each.toFixed(1)).join(" and ")} s, the better of ${rounds} rounds each)`,
    ok: ratio <= ratioLimit,
  };
}

/** The two servers keep parts and, as they put them together, a second copy: four times the size, and some room. */
async function benchMemory(folder: string, stores: readonly Store[]): Promise<BenchRow> {
  const { bavail, bsize } = await statfs(folder);
  const size = Math.min(memorySize, Math.floor((bavail * bsize) / 5 / gib(1)) * gib(1));
  const { seconds, peakKib } = await fanOut(folder, stores, { key: "bench/memory", bytes: size, relayed: false });
  return {
    what: `resident memory of a process that writes ${formatSize(size)} to two S3 backends${size < memorySize ? ` (the disk has no room for ${formatSize(memorySize)})` : ""}`,
    against: "–",
    reach: `≤ ${memoryLimit / 1024 ** 2} MiB`,
    measured: `${Math.round(peakKib / 1024)} MiB (in ${seconds.toFixed(0)} s)`,
    ok: size === memorySize && peakKib * 1024 <= memoryLimit,
  };
}

/** A proxy is a process of its own, so that its work is not the writer's. */
async function startRelayProcess(folder: string, name: string, { endpoint }: S3Server): Promise<{ readonly relay: Server; readonly relayPort: number }> {
  const program = join(import.meta.dirname, "../drill/environments/relay.ts");
  const logFile = join(folder, `relay-${name}.log`);
  const relay = await startServer(`relay ${name}`, process.execPath, [program, "--listen", "127.0.0.1:0", "--to", endpoint, "--rate", String(proxyRate)], { logFile });
  const port = await waitFor(`the relay in front of ${name}`, async () => /listening (\d+)/.exec(await readFile(logFile, "utf8"))?.[1], { within: 20 });
  return { relay, relayPort: Number(port) };
}

interface FanOutRequest {
  readonly key: string;
  readonly bytes: number;
  readonly file?: string;
  readonly relayed: boolean;
}

const answer = z.strictObject({ seconds: z.number(), bytes: z.number(), peakKib: z.number(), failed: z.array(z.object({ backend: z.string(), error: z.string() })) });

async function fanOut(folder: string, stores: readonly Store[], { relayed, ...rest }: FanOutRequest): Promise<z.infer<typeof answer>> {
  const backends = stores.map(({ server, relayPort }, index) => ({
    kind: "s3", name: `backend-${index}`, endpoint: relayed ? `localhost:${relayPort}` : server.endpoint,
    region: server.region, bucket: server.bucket, caFile: server.caFile, credentialsFile: server.writerCredentialsFile,
  }));
  const config = { workDirectory: folder, passphraseFile: join(folder, "none"), backends };
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, "fan-out-writer.ts")], { deadline, input: JSON.stringify({ config, ...rest }) });
  const result = answer.parse(JSON.parse(stdout));
  const [failed] = result.failed;
  if (failed !== undefined) throw new DrError({ kind: "failed", what: `the copy in ${failed.backend} failed: ${failed.error}`, where: "bench fan-out", todo: "Run it on a machine that does nothing else." });
  return result;
}

/**
 * Seconds of one copy by rclone to a key that is new (it skips what is there already), with its defaults but one:
 * rclone 1.60 waits a second for a 100-continue before each part where the server does not send one (59 s against
 * 11 s, measured).
 */
async function rcloneCopy(folder: string, { server, relayPort }: Store, file: string, key: string): Promise<number> {
  const { accessKeyId, secretAccessKey } = await readCredentials(server.writerCredentialsFile);
  const home = join(folder, "rclone");
  await mkdir(home, { recursive: true, mode: 0o700 });
  const config = join(home, "rclone.conf");
  const lines = ["[store]", "type = s3", "provider = Other", `endpoint = https://localhost:${relayPort}`, `region = ${server.region}`, `access_key_id = ${accessKeyId}`, `secret_access_key = ${secretAccessKey}`, "force_path_style = true", "no_check_bucket = true"];
  await writeFile(config, `${lines.join("\n")}\n`, { mode: 0o600 });
  const args = ["--config", config, "--ca-cert", server.caFile, "--expect-continue-timeout", "0", "copyto", file, `store:${server.bucket}/${key}`];
  const { seconds } = await run(await findProgram("rclone"), args, { deadline, env: { HOME: home } });
  return seconds;
}
