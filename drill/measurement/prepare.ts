import { setTimeout as sleep } from "node:timers/promises";
import type { StoreName, Tier } from "../../plan/types.ts";
import { bytes, type Size } from "../../plan/units.ts";
import { Catalog } from "../../runner/catalog/catalog.ts";
import { outcomeOf } from "../../runner/catalog/record.ts";
import { readConfig } from "../../runner/config.ts";
import { openBackends } from "../../runner/storage/open.ts";
import { systemClock } from "../../runner/system/clock.ts";
import { waitFor } from "../../runner/system/wait.ts";
import { ratesFromRecords } from "../../runner/verification-rates.ts";
import type { Rates } from "../../plan/types.ts";
import { waitForStandbys } from "../environments/local/database.ts";
import { predictRun } from "../prediction.ts";
import { protect, walSince, type Protection } from "../protect.ts";
import type { Stage } from "../stage.ts";
import { checkLive } from "./check.ts";
import { probeSeconds } from "./detect.ts";
import { provisionSeconds } from "./warm.ts";

export type MeasuredStore = "postgres" | "redis";

export interface Preparation {
  /** The first tier that is measured; the hot one is predicted at once, a warm one at its worst moment. */
  readonly tier: Tier;
  readonly stores: readonly MeasuredStore[];
  /** Whether backups are made first. Default: yes. */
  readonly backups?: boolean;
}

/** How long before the next snapshot is due the prediction is made, and then the disaster strikes, in milliseconds. */
const strikeBefore = 1_500;
/** Seconds for two snapshots; where the jobs fail, the drill must not wait for ever. */
const patience = 180;
/** Segments that are written between the last look at production and the disaster, at the most. */
const walHeadroom = 2;

/** What was measured of production before its disaster, and what is predicted from it. */
export class Known {
  private readonly stage: Stage;
  private readonly stores: readonly MeasuredStore[];
  private readonly protection: Protection | undefined;
  private readonly checkSeconds: Readonly<Record<MeasuredStore, number>>;
  private readonly startSeconds: number;

  constructor(stage: Stage, stores: readonly MeasuredStore[], protection: Protection | undefined, checkSeconds: Readonly<Record<MeasuredStore, number>>, startSeconds: number) {
    this.stage = stage;
    this.stores = stores;
    this.protection = protection;
    this.checkSeconds = checkSeconds;
    this.startSeconds = startSeconds;
  }

  /** Predicts the hot tier: the stores' own failover, then the drill's check, one store after the other. */
  async predictHot(): Promise<void> {
    await this.predict("hot");
  }

  /** Predicts the recovery from the object stores, with the rates that verifying these backups measured. */
  async predictWarm(): Promise<void> {
    await this.predict("warm");
  }

  private async predict(tier: Tier): Promise<void> {
    const { stage, protection } = this;
    const { rates, startLsn } = await this.measured();
    const wal = startLsn === undefined ? bytes(0) : bytes((await walSince(stage, startLsn)) + walHeadroom * stage.plan.postgres.walSegment);
    const sizes: Readonly<Record<MeasuredStore, Size>> = { postgres: protection?.postgresSize ?? bytes(0), redis: protection?.redisSize ?? bytes(0) };
    const figures = predictRun({
      plan: stage.plan,
      scope: stage.run.scope,
      tier,
      rates,
      stores: this.stores.map((store: StoreName & MeasuredStore) => ({ store, size: sizes[store], ...(store === "postgres" ? { wal } : {}), checkSeconds: this.checkSeconds[store] })),
      detectSeconds: probeSeconds,
      provisionSeconds,
      startSeconds: this.startSeconds,
      degraded: false,
      oneAfterAnother: tier !== "hot",
    });
    stage.run.predict(rates.source, figures);
  }

  /** The rates of the newest verifications, the push that was measured here, the jobs' longest runs; where the newest backup began. */
  private async measured(): Promise<{ readonly rates: Rates; readonly startLsn: string | undefined }> {
    const { stage, protection } = this;
    if (protection === undefined) return { rates: stage.plan.rates, startLsn: undefined };
    const place = await stage.env.recoveryConfig({ name: "look" });
    const backends = await openBackends(await readConfig(place.config));
    try {
      const { records } = await new Catalog(backends, systemClock, { readOnly: true }).list();
      const newest = records.findLast((record) => record.store === "postgres" && record.watermark.startLsn !== undefined && outcomeOf(record) !== "failed");
      return { rates: { ...ratesFromRecords(records, stage.plan.rates, ["redis-snapshot", "postgres-incremental"]), push: protection.push }, startLsn: newest?.watermark.startLsn ?? protection.startLsn };
    } finally {
      for (const backend of backends) backend.close();
    }
  }

  /**
   * Waits until just before the next snapshot of Redis is due, none under way: when a disaster costs most. At least
   * one of the schedule's own snapshots has been made before, in the region that leads now. Then predicts.
   */
  async worstMoment(): Promise<void> {
    const { stage } = this;
    const since = stage.run.steps.startedAt;
    await stage.run.steps.step("protect", "wait for the worst moment: just before the next snapshot", async () => {
      await waitFor("a moment just before the next snapshot of Redis", async () => {
        if (!stage.scheduler.runs.some(({ schedule, startedAt, outcome }) => schedule === "redis-snapshot" && outcome === 0 && startedAt >= since)) return undefined;
        const left = stage.scheduler.next("redis-snapshot").getTime() - Date.now() - strikeBefore;
        if (left < 0 || stage.scheduler.running("redis-snapshot")) return undefined;
        await sleep(left, undefined, { signal: stage.signal });
        return !stage.scheduler.running("redis-snapshot");
      }, { within: patience, every: 0.05, signal: stage.signal });
      await this.predictWarm();
    });
  }

  /** Waits until a2 is the synchronous standby, so that every acknowledged commit is on it. */
  async synchronous(): Promise<void> {
    await waitForStandbys(await this.stage.env.requireLeader(), { synchronous: "a2", asynchronous: "b1" }, { within: 60, signal: this.stage.signal });
  }
}

/** Makes production what it always is before a disaster: backed up, verified, checked, predicted. */
export async function prepare(stage: Stage, { tier, stores, backups = true }: Preparation): Promise<Known> {
  const protection = backups ? await protect(stage) : undefined;
  const checkSeconds = await stage.run.steps.step("protect", "check production's replicas row by row, as a rehearsal", () => checkLive(stage));
  const startSeconds = backups ? await stage.run.steps.step("protect", "measure the start of dr", async () => (await stage.dr(["catalog", "list", "--store", "redis"], { nice: 0 })).seconds) : 0;
  const known = new Known(stage, stores, protection, checkSeconds, startSeconds);
  if (tier === "hot") await known.predictHot();
  return known;
}
