import type { RunContext } from "../../runner/context.ts";

/** A job of the runner that is killed again and again. */
export interface Job {
  /** What `--store` picks it by, and whose backup the last `dr verify` takes. */
  readonly store: string;
  /** As the table names it. */
  readonly name: string;
  /** What follows `dr`. */
  readonly command: readonly string[];
  /** The record that a run leaves; absent where it makes no backup. */
  readonly makes?: { readonly store: string; readonly kind: string };
  /** Exit codes of a run that did its work. Default: 0 alone. */
  readonly good?: readonly number[];
  /** What a day brings: each run has something to do. */
  change(): Promise<void>;
  /** What must hold beside what holds of every job, each breach a sentence. Asked after each kill and each next run. */
  alsoHolds?(): Promise<readonly string[]>;
  /** After the last run: what is allowed to stay for a while must be gone by then. */
  inTheEnd?(): Promise<readonly string[]>;
}

/** Servers with something in them, a configuration of `dr`, and the jobs that work on them, one after another. */
export interface House {
  readonly name: string;
  readonly configFile: string;
  /** Of that very configuration, in this process. */
  readonly context: RunContext;
  readonly jobs: readonly Job[];
  close(): Promise<void>;
}

/** Stands in everything that is backed up: a file of ours that has it is readable by whoever finds it. */
export const marker = "readable-by-whoever-finds-it";
