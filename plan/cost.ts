import { backendOf, isBackendCopy, scheduleOf, type BackendCopy } from "./find.ts";
import { prices, pricesDated, type Price } from "./prices.ts";
import { isShortLived, lockOfBackup } from "./survival.ts";
import type { Backend, Plan, Store } from "./types.ts";
import { bytes, days, mib, type Duration, type Size } from "./units.ts";
import { bytesPerRun, keptLongerPerMonth, runsPerMonth, storedBy, storedLog, type Stored } from "./volume.ts";

/** What is paid for. */
export type CostKind = "storage" | "requests" | "transfer" | "replication" | "keys";

export interface CostLine {
  readonly kind: CostKind;
  /** The backend, bucket or link that is paid for. */
  readonly where: string;
  readonly usdPerMonth: number;
  /** How the figure came about. */
  readonly basis: string;
}

export interface Cost {
  readonly usdPerMonth: number;
  /** The prices' date. */
  readonly dated: string;
  readonly lines: readonly CostLine[];
}

/** Providers count in decimal gigabytes or in GiB; the smaller one makes the estimate the larger. */
const gigabyte = 1e9;
/** Objects are written in parts of this size, pgBackRest's bundles and multipart uploads alike. */
const part = mib(16);
/** Besides its data a run writes its record and a manifest, and lists twice. */
const requestsPerRun = 4;
const month = days(30);

/** What a month of the plan costs at the prices of `prices.ts`, once every retention has filled up. */
export function costOf(plan: Plan): Cost {
  const lines = [...plan.backends.flatMap((backend) => backendLines(plan, backend)), ...replicatedBucketLines(plan), ...streamingLines(plan), keysLine(plan)].filter((line) => line.usdPerMonth > 0);
  return { usdPerMonth: lines.reduce((sum, line) => sum + line.usdPerMonth, 0), dated: pricesDated, lines };
}

/** What a backend holds and takes in a month, as stored. */
interface Traffic extends Stored {
  readonly written: Size;
  /** Of `written`, what leaves the primary region for it; the rest is read elsewhere. */
  readonly sent: Size;
  /** Of `written`, what stands in the backend's own bucket, which alone is replicated. */
  readonly replicable: Size;
  readonly requests: number;
}

function trafficOf(plan: Plan, backend: Backend): Traffic {
  const parts = plan.stores.flatMap((store) => copiesIn(store, backend).map((copy) => copyTraffic(plan, store, backend, copy)));
  return sumTraffic(backend.role === "archive" ? parts : [...parts, checkpointTraffic(plan, backend)]);
}

/** What a backend holds once every retention has filled up. */
export const storedIn = (plan: Plan, backend: Backend): Stored => trafficOf(plan, backend);

const copiesIn = (store: Store, backend: Backend): readonly BackendCopy[] => store.copies.filter(isBackendCopy).filter((copy) => copy.backend === backend.name);

function copyTraffic(plan: Plan, store: Store, backend: Backend, copy: BackendCopy): Traffic {
  const schedule = scheduleOf(plan, copy.schedule);
  if (schedule === undefined) throw new RangeError(`the plan has no schedule ${copy.schedule}`);
  const lock = lockOfBackup(plan, copy, schedule);
  if (copy.kind === "log-archive") return logTraffic(plan, store, lock);
  const isShort = isShortLived(backend, schedule);
  const written = bytes(bytesPerRun(plan, store, schedule).mean * store.compression * runsPerMonth(schedule));
  const fromHome = store.copies.some((one) => one.kind === "original");
  return {
    ...storedBy(plan, store, schedule, lock, isShort),
    written,
    sent: fromHome ? written : bytes(0),
    replicable: isShort ? keptLongerPerMonth(plan, store, schedule) : written,
    requests: written / part + requestsPerRun * runsPerMonth(schedule),
  };
}

function logTraffic(plan: Plan, store: Store, lock: Duration): Traffic {
  const { walPerDay, walSegment, archiveTimeout } = plan.postgres;
  const written = bytes(walPerDay * store.compression * (month / days(1)));
  const segments = Math.max(walPerDay / walSegment, days(1) / archiveTimeout) * (month / days(1));
  return { ...storedLog(plan, store, lock), written, sent: written, replicable: written, requests: 2 * segments };
}

/** Agents' checkpoints, which belong to no single store. */
function checkpointTraffic(plan: Plan, backend: Backend): Traffic {
  const schedule = scheduleOf(plan, "agents-checkpoint");
  if (schedule === undefined || schedule.retention === "forever") return sumTraffic([]);
  const perRun = plan.agents * plan.checkpointSize;
  const runs = runsPerMonth(schedule);
  const written = bytes(perRun * runs);
  const kept = bytes((written * schedule.retention) / month);
  const isShort = isShortLived(backend, schedule);
  const none = bytes(0);
  return { bytes: kept, overhead: none, young: kept, shortLived: isShort ? kept : none, written, sent: written, replicable: isShort ? none : written, requests: (perRun / part + requestsPerRun) * runs };
}

function sumTraffic(parts: readonly Traffic[]): Traffic {
  const sum = (figure: (traffic: Traffic) => number): Size => bytes(parts.reduce((total, traffic) => total + figure(traffic), 0));
  return {
    bytes: sum((one) => one.bytes),
    overhead: sum((one) => one.overhead),
    young: sum((one) => one.young),
    shortLived: sum((one) => one.shortLived),
    written: sum((one) => one.written),
    sent: sum((one) => one.sent),
    replicable: sum((one) => one.replicable),
    requests: sum((one) => one.requests),
  };
}

function backendLines(plan: Plan, backend: Backend): readonly CostLine[] {
  const traffic = trafficOf(plan, backend);
  const { sent, requests } = traffic;
  const lockNote = traffic.overhead > 0 ? `, ${gigabytes(traffic.overhead)} of it only under lock` : "";
  const where = backend.name;
  const put = { r2: prices.r2ClassA, s3: prices.s3Put, "glacier-vault": prices.glacierPut, "s3-glacier": prices.glacierPut }[backend.kind];
  const link = backend.provider === "aws" ? prices.interRegion : prices.internetEgress;
  return [
    { kind: "storage", where, usdPerMonth: storageCost(backend, traffic), basis: `${gigabytes(traffic.bytes)}${lockNote}` },
    { kind: "requests", where, usdPerMonth: (requests / 1e6) * put.usd, basis: `${(requests / 1e6).toFixed(1)} million writes and lists` },
    { kind: "transfer", where, usdPerMonth: priced(sent, link), basis: `${gigabytes(sent)} out of the primary region` },
    ...verificationLines(plan, backend),
  ];
}

function storageCost(backend: Backend, stored: Stored): number {
  const old = bytes(stored.bytes - stored.young);
  switch (backend.kind) {
    case "r2":
      return priced(stored.bytes, prices.r2Storage);
    case "s3": // what is kept for less than 30 days would be billed for 30 in Standard-IA
      return priced(stored.young, prices.s3Standard) + priced(old, prices.s3StandardIa);
    case "glacier-vault":
    case "s3-glacier":
      return priced(stored.bytes, prices.glacier);
  }
}

/** Every copy is restored and queried by the weekly verification: the newest of each store is read once. */
function verificationLines(plan: Plan, backend: Backend): readonly CostLine[] {
  const verify = scheduleOf(plan, "verify");
  if (verify === undefined || backend.role === "archive") return [];
  const read = plan.stores.filter((store) => copiesIn(store, backend).length > 0).reduce((sum, store) => sum + store.expectedSize * store.compression, 0) * runsPerMonth(verify);
  const get = backend.kind === "r2" ? prices.r2ClassB : prices.s3Get;
  const retrieval = backend.kind === "s3" ? priced(bytes(read), prices.s3IaRetrieval) : 0;
  return [{ kind: "requests", where: `${backend.name}, verification`, usdPerMonth: (read / part / 1e6) * get.usd + retrieval, basis: `${gigabytes(read)} read back` }];
}

/** Buckets that a provider copies to another region: storage again, the way there, and the promise of 15 minutes. */
function replicatedBucketLines(plan: Plan): readonly CostLine[] {
  const buckets = new Map(plan.stores.flatMap((store) => store.copies.flatMap((copy) => (copy.kind === "replicated-bucket" ? [[copy.name, copy] as const] : []))));
  return [...buckets.values()].flatMap((bucket): readonly CostLine[] => {
    const source = backendOf(plan, bucket.of);
    if (source === undefined) return [];
    const traffic = trafficOf(plan, source);
    const { replicable } = traffic;
    const stored = { ...traffic, bytes: bytes(traffic.bytes - traffic.shortLived), young: bytes(traffic.young - traffic.shortLived) };
    return [
      { kind: "storage", where: bucket.name, usdPerMonth: storageCost(source, stored), basis: `${gigabytes(stored.bytes)}, what ${source.name} holds without its short-lived part` },
      { kind: "replication", where: bucket.name, usdPerMonth: priced(replicable, prices.interRegion) + priced(replicable, prices.replicationTimeControl), basis: `${gigabytes(replicable)} to ${bucket.region}, with replication time control` },
    ];
  });
}

/** Replicas in other regions take the changes as they happen. */
function streamingLines(plan: Plan): readonly CostLine[] {
  return plan.stores.flatMap((store) => {
    const home = store.copies.find((copy) => copy.kind === "original")?.region;
    const perDay = store.name === "postgres" ? plan.postgres.walPerDay : store.dailyChange;
    return store.copies
      .filter((copy) => copy.kind === "replica" && copy.region !== home)
      .map((copy): CostLine => {
        const sent = bytes((perDay * month) / days(1));
        return { kind: "replication", where: `${store.name}, ${copy.name}`, usdPerMonth: priced(sent, prices.interRegion), basis: `${gigabytes(sent)} streamed` };
      });
  });
}

function keysLine(plan: Plan): CostLine {
  const replicas = plan.keys.length * plan.regions.length;
  return { kind: "keys", where: "KMS", usdPerMonth: replicas * prices.kmsKey.usd, basis: `${plan.keys.length} keys in ${plan.regions.length} regions` };
}

const priced = (size: Size, price: Price): number => (size / gigabyte) * price.usd;
const gigabytes = (size: number): string => `${Math.round(size / gigabyte).toLocaleString("en")} GB`;
