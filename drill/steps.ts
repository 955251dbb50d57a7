import type { Progress } from "../runner/context.ts";
import { messageOf } from "../runner/errors.ts";
import { secondsSince } from "../runner/system/clock.ts";
import type { Phase, Step } from "./report/model.ts";

/** Names and times every step of a drill, in the order in which they began, and tells whoever watches. */
export class Steps {
  readonly startedAt: Date;
  private readonly begun = performance.now();
  private readonly done: Step[] = [];
  private readonly report: (progress: Progress) => void;

  constructor(startedAt: Date, report: (progress: Progress) => void) {
    this.startedAt = startedAt;
    this.report = report;
  }

  /** Runs `work` as a step; a failed one is recorded with its error, and its error goes on. */
  async step<T>(phase: Phase, name: string, work: (progress: (done: Omit<Progress, "step">) => void) => Promise<T>): Promise<T> {
    const start = performance.now();
    const at = secondsSince(this.begun);
    this.report({ step: name });
    try {
      const result = await work((progress) => this.report({ step: name, ...progress }));
      this.done.push({ name, phase, at, seconds: secondsSince(start) });
      return result;
    } catch (error) {
      this.done.push({ name, phase, at, seconds: secondsSince(start), error: messageOf(error) });
      throw error;
    }
  }

  /** A step whose ends were seen elsewhere, e.g. by the workload. */
  add(phase: Phase, name: string, from: Date, to: Date): void {
    const at = (from.getTime() - this.startedAt.getTime()) / 1_000;
    this.done.push({ name, phase, at, seconds: Math.max(0, (to.getTime() - from.getTime()) / 1_000) });
  }

  /** All that is done so far, by the time at which it began. */
  get all(): readonly Step[] {
    return this.done.toSorted((a, b) => a.at - b.at);
  }

  get elapsed(): number {
    return secondsSince(this.begun);
  }
}
