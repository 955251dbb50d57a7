import * as pulumi from "@pulumi/pulumi";

/** Set to anything, it brings back what `spareUnseenWork` leaves out, for whoever looks for a fault in the SDK. */
export const debugVariable = "BLACKROAD_PULUMI_DEBUG";

/** Frames of a stack trace. Enough to find an error by: the SDK records where a resource comes from by itself, whole. */
const frames = 4;

/**
 * Keeps the SDK from what it does for each resource and nobody sees: half of the program's own time in a preview of 337
 * resources.
 * - It writes down a stack trace at each promise, some fifty a resource, to tell where one comes from that never ends.
 *   With source maps and ten frames that is the most of all; types are stripped in place, so every position is right
 *   without a map.
 * - It sends the engine three messages a resource for `--debug`, each only when the engine has answered the one before,
 *   and does not end before the last.
 */
export function spareUnseenWork(): void {
  if (process.env[debugVariable] !== undefined) return;
  Reflect.deleteProperty(Error, "prepareStackTrace");
  Error.stackTraceLimit = frames;
  Reflect.set(pulumi.log, "debug", () => Promise.resolve());
}
