import { killAllChildren } from "../../runner/system/process.ts";

/** A test run that is stopped (Ctrl-C, a deadline, a runner that was killed) takes the servers that it started along. */
function leaveNothing(): void {
  killAllChildren();
  process.exit(1);
}

process.once("SIGINT", leaveNothing);
process.once("SIGTERM", leaveNothing);
process.once("SIGHUP", leaveNothing);
process.once("disconnect", leaveNothing); // the runner itself is gone
process.once("exit", killAllChildren);
