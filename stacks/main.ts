import * as pulumi from "@pulumi/pulumi";
import { blackroad } from "../plan/blackroad.ts";
import { readConfiguration } from "./configuration/read.ts";
import { programOf } from "./program.ts";
import { requireKept } from "./promise.ts";
import { spareUnseenWork } from "./unseen-work.ts";

/** The program of the stack's role. Nothing is declared before the plan and the configuration hold. */
export function main(): Promise<Record<string, unknown>> {
  spareUnseenWork();
  requireKept(blackroad);
  return programOf(blackroad, readConfiguration(pulumi.getStack(), pulumi.runtime.allConfig()));
}
