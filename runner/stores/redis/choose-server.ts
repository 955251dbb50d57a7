import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";
import { connectRedis, describeRedis, redisServersOf, type RedisAddress, type RedisLink } from "./connection.ts";
import { serverState, type ServerState } from "./server-state.ts";

/** A server that answered, and what it said of itself then. */
export interface ChosenServer {
  readonly link: RedisLink;
  readonly state: ServerState;
}

interface Silent {
  readonly address: RedisAddress;
  readonly error: unknown;
}

/**
 * Connects the server that is the primary now, whichever of the configured ones that is: after a failover by Sentinel it
 * is not the one that started so. Where none of them is, a replica, the one that has got most: the primary is in another
 * region then. `login` replaces whom we log in as. Whoever asks closes the link.
 * @throws DrError where none answers; where the primary may be one that does not; where two say that they are it
 */
export async function chooseServer(context: RunContext, login: Partial<Pick<RedisAddress, "user" | "passwordFile">> = {}): Promise<ChosenServer> {
  const asked = await Promise.all(redisServersOf(context).map((address) => ask({ ...address, ...login }, context.signal)));
  const answered = asked.filter((one): one is ChosenServer => "state" in one);
  try {
    const chosen = choose(answered, asked.filter((one): one is Silent => "error" in one));
    close(answered.filter((one) => one !== chosen));
    return chosen;
  } catch (error) {
    close(answered);
    throw error;
  }
}

/**
 * The same for work that writes, which no replica takes.
 * @throws DrError besides, where the primary is elsewhere
 */
export async function choosePrimary(context: RunContext, login: Parameters<typeof chooseServer>[1] = {}): Promise<ChosenServer> {
  const chosen = await chooseServer(context, login);
  if (chosen.state.role === "primary") return chosen;
  close([chosen]);
  throw new DrError({ kind: "refused", what: `every Redis here is a replica; the primary is ${chosen.state.primaryLink?.of ?? "elsewhere"}`, where: describeRedis(chosen.link.address), todo: "Run it where the primary is." });
}

/** @throws DrError where what is read from the server now would be half of its data, or of nobody knows when */
export function refuseStale({ link, state }: ChosenServer): void {
  const refuse = (what: string, todo: string) => new DrError({ kind: "unavailable", what, where: describeRedis(link.address), todo });
  if (state.loading) throw refuse("Redis is still loading its data, a dump of it now would hold half", "Wait until it is loaded.");
  if (state.primaryLink?.up === false) throw refuse("this replica has lost its primary, so nothing says how old its data is", "Restore the replication, or back up the primary.");
}

async function ask(address: RedisAddress, signal: AbortSignal): Promise<ChosenServer | Silent> {
  let link: RedisLink | undefined;
  try {
    link = await connectRedis(address, signal);
    return { link, state: await serverState(link) };
  } catch (error) {
    link?.close();
    signal.throwIfAborted();
    return { address, error };
  }
}

function choose(answered: readonly ChosenServer[], silent: readonly Silent[]): ChosenServer {
  const primaries = answered.filter(({ state }) => state.role === "primary");
  const [primary] = primaries;
  if (primary !== undefined) return primaries.length === 1 ? primary : successor(primaries);
  const [replica] = answered.toSorted((one, other) => Number(follows(other.state)) - Number(follows(one.state)) || other.state.replicationOffset - one.state.replicationOffset);
  if (replica === undefined) throw nobody(silent);
  const lost = silent.find(({ address }) => mayLead(address, answered));
  if (lost !== undefined) throw new DrError({ kind: "unavailable", what: `the other servers here are replicas, and this one, which may be the primary, does not answer: ${messageOf(lost.error)}`, where: describeRedis(lost.address), todo: "See whether the Sentinels have promoted another meanwhile; then run it again." });
  return replica;
}

/** The one that was promoted remembers the replication of the one before it, which has come back and is no replica yet. */
function successor(primaries: readonly ChosenServer[]): ChosenServer {
  const later = primaries.find(({ state }) => primaries.every((other) => other.state === state || other.state.replicationId === state.formerReplicationId));
  if (later !== undefined) return later;
  const where = primaries.map(({ link }) => describeRedis(link.address)).join(", ");
  throw new DrError({ kind: "unavailable", what: "more than one server says that it is the primary, and none that it came after the other: a backup of the wrong one would lack what clients write", where, todo: "Ask the Sentinels (`SENTINEL MASTERS`) which is theirs, and end the other." });
}

const follows = ({ loading, primaryLink }: ServerState): boolean => !loading && primaryLink?.up === true;

/** Replicas say whom they follow; one that has lost its primary cannot tell whether another leads by now. */
const mayLead = (address: RedisAddress, replicas: readonly ChosenServer[]): boolean => !replicas.some(({ state }) => follows(state)) || replicas.some(({ state }) => state.primaryLink?.of === describeRedis(address));

function nobody(silent: readonly Silent[]): unknown {
  const [first, ...more] = silent;
  if (first !== undefined && more.length === 0) return first.error;
  return new DrError({ kind: "unavailable", what: `no server of Redis answers: ${silent.map(({ error }) => messageOf(error)).join("; ")}`, where: silent.map(({ address }) => describeRedis(address)).join(", "), todo: "Start them, or correct `redis.servers` in the configuration." });
}

function close(servers: readonly ChosenServer[]): void {
  for (const { link } of servers) link.close();
}
