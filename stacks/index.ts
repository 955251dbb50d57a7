import * as pulumi from "@pulumi/pulumi";
import { blackroad } from "../plan/blackroad.ts";
import { readConfiguration } from "./configuration/read.ts";
import { programOf } from "./program.ts";
import { requireKept } from "./promise.ts";

/** What `pulumi up` runs: the program of the stack's role. Nothing is declared before the plan and the configuration hold. */
export default async function stack(): Promise<Record<string, unknown>> {
  // Types are stripped in place, so every position is right without a source map. Looking for maps at each of the
  // SDK's stack traces, one a promise, took a third of the program's time in a preview of 337 resources.
  Reflect.deleteProperty(Error, "prepareStackTrace");
  requireKept(blackroad);
  return programOf(blackroad, readConfiguration(pulumi.getStack(), pulumi.runtime.allConfig()));
}
