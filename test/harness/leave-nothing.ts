import { readFileSync } from "node:fs";
import { killAllChildren, liveChildren } from "../../runner/system/process.ts";

/** Milliseconds for what a test started to take its own servers along: a drill that is killed cannot. */
const teardown = 8_000;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** A zombie is one that has ended: nobody reads its end any more. */
function runs(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false; // gone
  }
}

/**
 * A test run that is stopped (Ctrl-C, a deadline, a runner that was killed) takes the servers that it started along.
 * Without the event loop, which has ended by then: whoever stops a worker does not wait for its promises.
 */
function leaveNothing(): void {
  const children = liveChildren();
  for (const pid of children) if (runs(pid)) process.kill(pid, "SIGTERM");
  const last = performance.now() + teardown;
  while (children.some(runs) && performance.now() < last) Atomics.wait(pause, 0, 0, 50);
  killAllChildren();
}

const stop = (): never => process.exit(1);
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
process.once("SIGHUP", stop);
process.once("disconnect", stop); // the runner itself is gone
process.once("exit", leaveNothing);
