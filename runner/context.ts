import type { Plan } from "../plan/types.ts";
import type { Catalog } from "./catalog/catalog.ts";
import type { RunnerConfig } from "./config.ts";
import type { StorageBackend } from "./storage/backend.ts";
import type { Clock } from "./system/clock.ts";

/** What a step has done so far, for whoever watches. */
export interface Progress {
  readonly step: string;
  readonly done?: number;
  readonly total?: number;
  readonly unit?: "bytes" | "agents" | "segments" | "rows" | "checks";
}

/** Everything that a run of the runner works with; made once by the command line or by a test. */
export interface RunContext {
  readonly config: RunnerConfig;
  /** The plan, already scaled by the configuration's `intervalScale`. */
  readonly plan: Plan;
  /** In the configuration's order, open. A backend that is down is still in the list: its calls fail. */
  readonly backends: readonly StorageBackend[];
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** The passphrase of everything outside pgBackRest; read from its file when it is first needed. */
  passphrase(): Promise<string>;
  readonly signal: AbortSignal;
  report(progress: Progress): void;
}
