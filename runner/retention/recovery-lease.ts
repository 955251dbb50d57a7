/** What keeps the backups from expiring while somebody recovers from them. */
import type { RunContext } from "../context.ts";
import { messageOf } from "../errors.ts";
import { waitFor } from "../system/wait.ts";
import { describeLease, readLeases, takeLease, type HeldLease, type StandingLease } from "./lease.ts";

/** Seconds that an expiry may take to see the lease and stop: it looks before each request that deletes. */
const stopWithin = 20;
/** Seconds that a backup waits for what the backends say of recoveries. */
const askWithin = 5;

const none: HeldLease = { key: "", backends: [], release: () => Promise.resolve() };

/**
 * Takes the lease of a recovery, and waits until an expiry that is at work has stopped. Nothing here stops a recovery:
 * what could not be done is said. A run that may only read cannot take one; whoever may write does it for it, with
 * `dr expire --pause`.
 */
export async function beginRecovery(context: RunContext, what: string): Promise<HeldLease> {
  if (context.config.readOnly) {
    context.report({ step: "this run may only read, so it cannot keep backups from expiring: run `dr expire --pause 4h` where production's own configuration is" });
    return none;
  }
  const lease = await takeLease(context, { purpose: "recovery", what });
  try {
    let last: StandingLease | undefined;
    await waitFor("the end of an expiry", async () => {
      const { standing } = await readLeases(context);
      last = standing.find(({ purpose }) => purpose === "expiry");
      return last === undefined;
    }, { within: stopWithin, signal: context.signal }).catch((error: unknown) => {
      context.signal.throwIfAborted();
      context.report({ step: last === undefined ? `nobody knows whether backups expire just now: ${messageOf(error)}` : `${describeLease(last)} has not stopped; what it deletes is over by the plan` });
    });
    return lease;
  } catch (error) {
    await lease.release();
    throw error;
  }
}

/** The recovery, or the pause, that keeps backups from expiring now; `undefined` where there is none that can be seen. */
export async function recoveryStanding(context: RunContext): Promise<StandingLease | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, askWithin * 1_000, undefined)));
  const leases = await Promise.race([readLeases(context), late]);
  clearTimeout(timer);
  return leases?.standing.find(({ purpose }) => purpose !== "expiry");
}
