import { Stack, type OutputMap } from "@pulumi/pulumi/automation/index.js";
import type { Duration } from "../../plan/units.ts";
import { DrError, messageOf } from "../../runner/errors.ts";
import { systemClock, type Clock } from "../../runner/system/clock.ts";
import { drillName } from "../name.ts";
import { lineOf, type DrillStackEvent, type Tell } from "./event.ts";
import { lastLine, tearDown } from "./tear-down.ts";
import { openWorkspace, type DrillStackPlace } from "./workspace.ts";

export type { DrillStackEvent, DrillStackPhase } from "./event.ts";
export type { DrillStackPlace } from "./workspace.ts";

/** What the configuration of a drill stack is made for. */
export interface DrillIdentity {
  /** `dr-drill-YYYYMMDD-xxxx`: of the stack and the namespace. */
  readonly name: string;
  /** RFC 3339, UTC. */
  readonly expiresAt: string;
}

export interface DrillStackOptions extends DrillStackPlace {
  /** The stack's configuration by full keys, objects as JSON; see stacks/examples. No secret: those are read by name. */
  readonly config: (drill: DrillIdentity) => Readonly<Record<string, string>>;
  /** After it a sweep removes the stack, should nobody else have done so. */
  readonly timeToLive: Duration;
  /** Stops `up` and what is done meanwhile; the teardown goes on to its end. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: DrillStackEvent) => void;
  readonly clock?: Clock;
}

/** A drill stack that is up. */
export interface RunningDrill extends DrillIdentity {
  readonly outputs: OutputMap;
  readonly signal: AbortSignal | undefined;
}

/**
 * Brings a drill stack up, lets `during` work with it, and takes it down again whatever happened: also where `up` fails
 * half way, `during` throws, or the signal comes.
 * @throws DrError of the first failure; where the teardown fails too, its message names what is left
 */
export async function withDrillStack<T>(options: DrillStackOptions, during: (drill: RunningDrill) => Promise<T>): Promise<T> {
  const { clock = systemClock, timeToLive, signal } = options;
  const now = clock.now();
  const drill: DrillIdentity = { name: drillName(now), expiresAt: new Date(now.getTime() + timeToLive * 1_000).toISOString() };
  const tell: Tell = (phase, message) => options.onEvent?.({ phase, stack: drill.name, message });
  throwIfStopped(signal, drill.name);
  const stack = await made(drill.name, options, tell);
  let outcome: { readonly value: T } | { readonly error: unknown };
  try {
    const outputs = await up(stack, drill, options, tell);
    tell("wait", "the stack is up");
    outcome = { value: await during({ ...drill, outputs, signal }) };
    throwIfStopped(signal, drill.name);
  } catch (error) {
    outcome = { error };
  }
  await tearDown(stack, tell).catch((left: unknown) => {
    throw "error" in outcome ? both(outcome.error, left) : left;
  });
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

async function made(name: string, place: DrillStackPlace, tell: Tell): Promise<Stack> {
  tell("prepare", `the stack in ${place.workDir}`);
  const workspace = await openWorkspace(place);
  return Stack.create(name, workspace).catch((cause: unknown) => {
    throw new DrError({ kind: "unavailable", what: `the drill stack could not be made: ${lastLine(cause)}`, where: `${name} in ${place.backendUrl ?? "the backend that is logged in to"}`, todo: "Look at the backend's address, its credentials and the passphrase's file.", cause });
  });
}

async function up(stack: Stack, drill: DrillIdentity, { config, signal }: DrillStackOptions, tell: Tell): Promise<OutputMap> {
  await stack.setAllConfig(Object.fromEntries(Object.entries(config(drill)).map(([key, value]) => [key, { value }])));
  throwIfStopped(signal, drill.name);
  try {
    const onEvent = (event: Parameters<typeof lineOf>[0]) => {
      const line = lineOf(event);
      if (line !== undefined) tell("up", line);
    };
    return (await stack.up({ onEvent, ...(signal === undefined ? {} : { signal }) })).outputs;
  } catch (cause) {
    throwIfStopped(signal, drill.name);
    throw new DrError({ kind: "failed", what: `the drill stack did not come up: ${lastLine(cause)}`, where: drill.name, todo: "Read its events above; what was made of it is destroyed.", cause });
  }
}

function throwIfStopped(signal: AbortSignal | undefined, stack: string): void {
  if (signal?.aborted !== true) return;
  const reason: unknown = signal.reason;
  throw reason instanceof DrError ? reason : new DrError({ kind: "interrupted", what: "the drill was stopped", where: stack, todo: "Start it again; what was begun was torn down.", cause: reason });
}

/** The first failure's kind; the second one names what is left, which is what somebody must act on. */
function both(first: unknown, left: unknown): DrError {
  const kind = first instanceof DrError ? first.kind : "failed";
  const { what, where, todo } = left instanceof DrError ? left : { what: messageOf(left), where: "the teardown", todo: "Look at the stack with `pulumi stack ls`." };
  return new DrError({ kind, what: `${messageOf(first)}; and then ${what}`, where, todo, cause: first });
}
