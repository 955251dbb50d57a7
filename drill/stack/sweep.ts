import { Stack, type StackSummary } from "@pulumi/pulumi/automation/index.js";
import { days } from "../../plan/units.ts";
import { messageOf } from "../../runner/errors.ts";
import { systemClock, type Clock } from "../../runner/system/clock.ts";
import { dayOfDrill } from "../name.ts";
import type { DrillStackEvent } from "./event.ts";
import { resourcesOf, tearDown } from "./tear-down.ts";
import { openWorkspace, type DrillStackPlace } from "./workspace.ts";

export interface StackSweepOptions extends DrillStackPlace {
  readonly clock?: Clock;
  readonly onEvent?: (event: DrillStackEvent) => void;
}

export interface StackSweep {
  /** Stacks whose resources and state are gone. */
  readonly removed: readonly string[];
  /** Not expired yet: left alone. */
  readonly running: readonly string[];
  /** Expired, and not to be destroyed, each with the reason. */
  readonly left: readonly { readonly stack: string; readonly why: string }[];
}

/** Longer than any drill's time to live (components/drill/recovery-environment.ts allows a day), from the midnight before it began. */
const longestDrill = days(2);

/** Destroys and removes drill stacks whose time is over: those of drills that were killed, or lost their machine. */
export async function sweepDrillStacks(options: StackSweepOptions): Promise<StackSweep> {
  const { clock = systemClock } = options;
  const workspace = await openWorkspace(options);
  const names = (await workspace.listStacks()).map(nameOf).filter((name) => dayOfDrill(name) !== undefined);
  const result = { removed: new Array<string>(), running: new Array<string>(), left: new Array<StackSweep["left"][number]>() };
  for (const name of names) {
    try {
      const stack = await Stack.select(name, workspace);
      if ((await expiryOf(stack)) > clock.now()) {
        result.running.push(name);
        continue;
      }
      options.onEvent?.({ phase: "sweep", stack: name, message: "its time is over" });
      await tearDown(stack, (phase, message) => options.onEvent?.({ phase, stack: name, message }));
      result.removed.push(name);
    } catch (error) {
      result.left.push({ stack: name, why: messageOf(error) }); // the others are swept all the same
    }
  }
  return result;
}

/** Backends of organisations write `ORGANISATION/PROJECT/STACK`. */
const nameOf = ({ name }: StackSummary): string => name.split("/").at(-1) ?? name;

/** As the state says; of a stack that came to nothing, as its name does. */
async function expiryOf(stack: Stack): Promise<Date> {
  const stated = (await resourcesOf(stack)).find(({ type }) => type === "blackroad:drill:RecoveryEnvironment")?.inputs?.["expiresAt"];
  const time = typeof stated === "string" ? new Date(stated) : undefined;
  if (time !== undefined && !Number.isNaN(time.getTime())) return time;
  return new Date((dayOfDrill(stack.name)?.getTime() ?? 0) + longestDrill * 1_000);
}
