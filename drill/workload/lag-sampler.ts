import type { Client } from "pg";
import { messageOf } from "../../runner/errors.ts";
import { abandon, connectTo } from "./leader.ts";
import type { LedgerWriter } from "./ledger.ts";
import { pause } from "./pause.ts";
import type { Acknowledged } from "./postgres-loop.ts";
import type { WriterConfig } from "./writer-config.ts";

export interface LagParts {
  readonly config: WriterConfig;
  readonly ledger: LedgerWriter;
  readonly say: (text: string) => void;
  /** The last heartbeat that the leader acknowledged. */
  readonly newest: () => Acknowledged | undefined;
}

/** Milliseconds between two looks at the replica for one sample; on a machine that is held up it can be more. */
const lookEvery = 5;
const retryEvery = 200;

/**
 * Measures the replication lag as a reader sees it: from a heartbeat's acknowledgement on the leader until it can be
 * read on the asynchronous replica. A replica that leads, or that is gone, is not sampled.
 */
export async function sampleLag(parts: LagParts, stop: AbortSignal): Promise<void> {
  const { members, lagMember } = parts.config.postgres;
  const member = members.find(({ name }) => name === lagMember);
  if (member === undefined) return;
  let told = false;
  while (!stop.aborted) {
    let client: Client | undefined;
    try {
      client = await connectTo(member, parts.config.postgres);
      told = false;
      await sampleUntil(parts, client, stop);
    } catch (error) {
      if (!told) parts.say(`${member.name} is not sampled: ${messageOf(error)}`);
      told = true;
    } finally {
      if (client !== undefined) abandon(client);
    }
    await pause(retryEvery, stop);
  }
}

async function sampleUntil(parts: LagParts, client: Client, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const begun = performance.now();
    await sampleOnce(parts, client, stop);
    await pause(parts.config.pace.lagSampleMilliseconds - (performance.now() - begun), stop);
  }
}

async function sampleOnce({ ledger, newest }: LagParts, client: Client, stop: AbortSignal): Promise<void> {
  const awaited = newest();
  if (awaited === undefined) return;
  let unseenAt = awaited.at;
  for (;;) {
    const asked = Date.now();
    const { rows } = await client.query<{ tick: string; standby: boolean }>({ name: "lag", text: "select coalesce(max(sequence), 0) as tick, pg_is_in_recovery() as standby from heartbeat" });
    const seen = rows[0];
    if (seen === undefined || !seen.standby) throw new Error("it is no replica any more");
    if (Number(seen.tick) >= awaited.tick) break;
    if (stop.aborted) return;
    unseenAt = asked;
    await pause(lookEvery, stop);
  }
  const at = Date.now();
  const since = (from: number) => Math.max(0, at - from) / 1_000;
  await ledger.append({ kind: "lag", at, tick: awaited.tick, seconds: since(awaited.at), unsure: since(Math.max(unseenAt, awaited.at)) });
}
