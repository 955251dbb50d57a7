import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../../runner/system/wait.ts";
import type { Stage } from "../stage.ts";

/** How production's death is found out: every server refuses, so often in a row, at this distance. */
const rounds = 3;
const everySeconds = 0.5;
const connectTimeout = 1_000;
/** The longest that it takes, in seconds: each round waits for its answers and then for the next one. */
export const probeSeconds = rounds * (everySeconds + connectTimeout / 1_000);

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: connectTimeout });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

/** Waits until no database server of production has answered for several rounds; returns when that was known. */
export async function detectDeath(stage: Stage): Promise<Date> {
  const ports = [...stage.env.layout.members.map(({ postgresPort }) => postgresPort), ...stage.env.layout.redis.map(({ port }) => port)];
  let silent = 0;
  await waitFor(
    "the death of every database server of production",
    async () => {
      silent = (await Promise.all(ports.map(answers))).some(Boolean) ? 0 : silent + 1;
      if (silent >= rounds) return true;
      await sleep(everySeconds * 1_000, undefined, { signal: stage.signal });
      return undefined;
    },
    { within: 60, every: 0, signal: stage.signal },
  );
  return new Date();
}
