/**
 * Leases that stand in each backend: who recovers, and who expires. Whoever works with the backups may be on another
 * continent than whoever tidies them up; the backends are all that both can see.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { z } from "zod";
import { leasesPrefix } from "../../plan/layout.ts";
import type { RunContext } from "../context.ts";
import { messageOf } from "../errors.ts";
import type { StorageBackend } from "../storage/backend.ts";

/** `recovery` and `pause` keep everything from expiring; `expiry` keeps a second one out. */
export type LeasePurpose = "recovery" | "pause" | "expiry";

const leaseSchema = z.object({
  version: z.literal(1),
  purpose: z.enum(["recovery", "pause", "expiry"]),
  /** For people: the command. */
  what: z.string(),
  host: z.string(),
  pid: z.int(),
  startedAt: z.iso.datetime(),
  until: z.iso.datetime(),
});
export type Lease = z.infer<typeof leaseSchema>;

export interface StandingLease extends Lease {
  readonly key: string;
  readonly backend: string;
}

/** Seconds that a lease holds without being renewed, and between two renewals. */
const term = 900;
const renewal = 300;
/** Seconds that two clocks may differ: a lease is respected for as long after its time. */
export const clockTolerance = 3_600;
/** Seconds that taking and giving back may hold up a recovery, for which a backend that is down is not waited for; what
 * is no recovery has time. */
const patienceOf = (purpose: LeasePurpose): number => (purpose === "recovery" ? 2 : 30);

export interface HeldLease {
  readonly key: string;
  /** Backends that have it, so far. */
  readonly backends: readonly string[];
  /** Gives it back; what cannot be removed runs out by itself. */
  release(): Promise<void>;
}

export interface LeaseRequest {
  readonly purpose: LeasePurpose;
  readonly what: string;
  /** Seconds; it is not renewed then and outlives this process. Default: renewed until it is released. */
  readonly until?: number;
}

/** Writes a lease to every backend that takes it within a moment. The slower ones get it a little later. */
export async function takeLease(context: RunContext, { purpose, what, until }: LeaseRequest): Promise<HeldLease> {
  const startedAt = context.clock.now();
  const key = `${leasesPrefix}${purpose}-${randomBytes(8).toString("hex")}.json`;
  const held = new Set<string>();
  let released = false;
  const write = async (backend: StorageBackend): Promise<void> => {
    const lease: Lease = { version: 1, purpose, what, host: hostname(), pid: process.pid, startedAt: startedAt.toISOString(), until: new Date(context.clock.now().getTime() + (until ?? term) * 1_000).toISOString() };
    try {
      await backend.put(key, Buffer.from(`${JSON.stringify(lease)}\n`), { contentType: "application/json" });
      held.add(backend.name);
      if (released) await backend.remove([key]);
    } catch (error) {
      if (!released) context.report({ step: `${backend.name}: the lease could not be written, so nothing keeps what is there from expiring: ${messageOf(error)}` });
    }
  };
  const everywhere = () => Promise.all(context.backends.map(write)).then(() => undefined);
  const timer = until === undefined ? setInterval(() => void everywhere(), renewal * 1_000) : undefined;
  timer?.unref();
  const patience = patienceOf(purpose);
  await within(patience, everywhere());
  return {
    key,
    get backends() {
      return context.backends.map(({ name }) => name).filter((name) => held.has(name));
    },
    async release() {
      released = true;
      clearInterval(timer);
      await within(patience, Promise.all(context.backends.filter(({ name }) => held.has(name)).map((backend) => backend.remove([key]).catch(() => undefined))));
    },
  };
}

/** Waits for it, but not for long. */
async function within(seconds: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, seconds * 1_000)));
  await Promise.race([work, late]);
  clearTimeout(timer);
}

export interface Leases {
  /** Those that hold now, once for each, however many backends have them. */
  readonly standing: readonly StandingLease[];
  /** Backends that could not be asked, with the reason. */
  readonly unread: readonly { readonly backend: string; readonly error: string }[];
}

/** The leases that hold. One that cannot be understood holds as long as it is there: somebody newer may have meant it. */
export async function readLeases(context: RunContext): Promise<Leases> {
  const unread: { backend: string; error: string }[] = [];
  const found = await Promise.all(
    context.backends.map(async (backend) => {
      try {
        const keys: string[] = [];
        for await (const { key } of backend.list(leasesPrefix)) keys.push(key);
        return await Promise.all(keys.map((key) => readLease(context, backend, key)));
      } catch (error) {
        unread.push({ backend: backend.name, error: messageOf(error) });
        return [];
      }
    }),
  );
  const now = context.clock.now().getTime();
  const standing = new Map<string, StandingLease>();
  for (const lease of found.flat()) {
    const before = lease === undefined ? undefined : standing.get(lease.key);
    if (lease !== undefined && holds(lease, now) && (before === undefined || before.until < lease.until)) standing.set(lease.key, lease);
  }
  return { standing: [...standing.values()], unread };
}

/** Removes the leases that hold no longer: those of processes that were killed. One that cannot be removed harms nobody. */
export async function forgetLeases(context: RunContext): Promise<void> {
  const { standing, unread } = await readLeases(context);
  const held = new Set(standing.map(({ key }) => key));
  const asked = context.backends.filter(({ name }) => unread.every(({ backend }) => backend !== name));
  await Promise.all(
    asked.map(async (backend) => {
      const over: string[] = [];
      for await (const { key } of backend.list(leasesPrefix)) if (!held.has(key)) over.push(key);
      if (over.length > 0) await backend.remove(over);
    }),
  ).catch((error: unknown) => context.report({ step: `leases that are over could not be removed: ${messageOf(error)}` }));
}

async function readLease({ clock }: RunContext, backend: StorageBackend, key: string): Promise<StandingLease | undefined> {
  const bytes = await backend.read(key).catch(async (error: unknown) => {
    if ((await backend.head(key)) === undefined) return undefined; // given back meanwhile
    throw error;
  });
  if (bytes === undefined) return undefined;
  const parsed = leaseSchema.safeParse(jsonOf(bytes.toString("utf8")));
  if (parsed.success) return { ...parsed.data, key, backend: backend.name };
  const now = clock.now().toISOString();
  return { version: 1, purpose: key.startsWith(`${leasesPrefix}expiry-`) ? "expiry" : "recovery", what: `a lease that cannot be read, ${backend.uri(key)}`, host: "unknown", pid: 0, startedAt: now, until: now, key, backend: backend.name };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // cut off, or of somebody else: `readLease` lets it hold
  }
}

const holds = (lease: Lease, now: number): boolean => Date.parse(lease.until) + clockTolerance * 1_000 > now && !isOurDead(lease);

/** A process of this machine that is gone needs nothing any more; of another machine nobody can say. A pause is nobody's. */
function isOurDead({ purpose, host, pid }: Lease): boolean {
  if (purpose === "pause" || host !== hostname() || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

export const describeLease = ({ purpose, what, host, until, backend }: StandingLease): string => `${purpose === "pause" ? "a pause" : purpose === "recovery" ? "a recovery" : "another expiry"} (${what}, on ${host}, until ${until}; seen in ${backend})`;
