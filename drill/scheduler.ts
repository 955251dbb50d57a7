import { setTimeout as sleep } from "node:timers/promises";
import { intervalOf } from "../plan/schedule.ts";
import type { Plan, ScheduleName } from "../plan/types.ts";
import { messageOf } from "../runner/errors.ts";

export interface JobRun {
  readonly schedule: ScheduleName;
  readonly startedAt: Date;
  readonly seconds: number;
  /** The exit code of `dr`, or the message of what kept it from ending. */
  readonly outcome: number | string;
}

export type StartJob = (command: readonly string[], schedule: ScheduleName, signal: AbortSignal) => Promise<number>;

interface Timetable {
  readonly interval: number;
  next: number;
  running: boolean;
}

/**
 * What the CronJobs are in production: starts the plan's jobs at the plan's (scaled) intervals, never two of one
 * schedule at once. The jobs are processes of `dr`, which decide themselves where there is work.
 */
export class Scheduler {
  readonly runs: JobRun[] = [];
  private readonly timetables = new Map<ScheduleName, Timetable>();
  private readonly stopping = new AbortController();
  private readonly loops: Promise<void>[] = [];
  private readonly plan: Plan;
  private readonly startJob: StartJob;

  constructor(plan: Plan, startJob: StartJob) {
    this.plan = plan;
    this.startJob = startJob;
  }

  /** Starts the loops of `names`; the first run of each comes after one interval. */
  start(names: readonly ScheduleName[]): void {
    for (const schedule of this.plan.schedules) {
      if (!names.includes(schedule.name)) continue;
      const interval = intervalOf(schedule) * 1_000;
      const timetable = { interval, next: Date.now() + interval, running: false };
      this.timetables.set(schedule.name, timetable);
      this.loops.push(this.loop(schedule.name, schedule.command, timetable));
    }
  }

  /** When the next run of `name` is due. */
  next(name: ScheduleName): Date {
    const timetable = this.timetables.get(name);
    if (timetable === undefined) throw new RangeError(`the schedule ${name} was not started`);
    return new Date(timetable.next);
  }

  running(name: ScheduleName): boolean {
    return this.timetables.get(name)?.running ?? false;
  }

  /** The longest that a run of `name` has taken so far, in seconds. */
  longest(name: ScheduleName): number {
    return Math.max(0, ...this.runs.filter((run) => run.schedule === name).map((run) => run.seconds));
  }

  /** Starts nothing more and ends what runs. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.loops);
  }

  private async loop(name: ScheduleName, command: readonly string[], timetable: Timetable): Promise<void> {
    const { signal } = this.stopping;
    for (;;) {
      await sleep(Math.max(0, timetable.next - Date.now()), undefined, { signal }).catch(() => undefined); // stop() wakes it
      if (this.stopping.signal.aborted) return;
      const startedAt = new Date();
      timetable.running = true;
      timetable.next += timetable.interval;
      const outcome = await this.startJob(command, name, signal).catch((error: unknown) => messageOf(error));
      timetable.running = false;
      this.runs.push({ schedule: name, startedAt, seconds: (Date.now() - startedAt.getTime()) / 1_000, outcome });
      while (timetable.next < Date.now()) timetable.next += timetable.interval; // a run missed is not made up for
    }
  }
}
