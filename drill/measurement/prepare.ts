import { setTimeout as sleep } from "node:timers/promises";
import type { StoreName, Tier } from "../../plan/types.ts";
import { bytes, type Size } from "../../plan/units.ts";
import { Catalog } from "../../runner/catalog/catalog.ts";
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

export type MeasuredStore = "postgres" | "redis";

export interface Preparation {
  readonly tier: Tier;
  readonly stores: readonly MeasuredStore[];
  /** Whether backups are made first. Default: yes. */
  readonly backups?: boolean;
}

/** How long before the next snapshot is due the disaster strikes, in milliseconds: the longest loss that can be. */
const strikeBefore = 300;
/** Seconds for two snapshots; where the jobs fail, the drill must not wait for ever. */
const patience = 180;
/** What the drill's own steps add between the last look at production and the disaster. */
const walHeadroom = 1.25;

/** What was measured of production before its disaster, and what is predicted from it. */
export class Known {
  private readonly stage: Stage;
  private readonly stores: readonly MeasuredStore[];
  private readonly protection: Protection | undefined;
  readonly checkSeconds: Readonly<Record<MeasuredStore, number>>;

  constructor(stage: Stage, stores: readonly MeasuredStore[], protection: Protection | undefined, checkSeconds: Readonly<Record<MeasuredStore, number>>) {
    this.stage = stage;
    this.stores = stores;
    this.protection = protection;
    this.checkSeconds = checkSeconds;
  }

  /** Predicts the hot tier: the stores' own failover, then the drill's check, one store after the other. */
  async predictHot(): Promise<void> {
    await this.predict("hot", false);
  }

  /** Predicts the recovery from the object stores, with the rates that verifying these backups measured. */
  async predictWarm({ afterFailover = false }: { readonly afterFailover?: boolean } = {}): Promise<void> {
    await this.predict("warm", afterFailover);
  }

  private async predict(tier: Tier, afterFailover: boolean): Promise<void> {
    const { stage, protection } = this;
    const rates = await this.rates();
    const wal = protection === undefined ? bytes(0) : bytes(Math.ceil((await walSince(stage, protection.startLsn)) * walHeadroom + (afterFailover ? stage.plan.postgres.walSegment : 0)));
    const sizes: Readonly<Record<MeasuredStore, Size>> = { postgres: protection?.postgresSize ?? bytes(0), redis: protection?.redisSize ?? bytes(0) };
    const figures = predictRun({
      plan: stage.plan,
      scope: stage.run.scope,
      tier,
      rates,
      stores: this.stores.map((store: StoreName & MeasuredStore) => ({ store, size: sizes[store], ...(store === "postgres" ? { wal } : {}), checkSeconds: this.checkSeconds[store] })),
      detectSeconds: probeSeconds,
      degraded: false,
      oneAfterAnother: tier !== "hot",
    });
    stage.run.predict(rates.source, figures);
  }

  /** The rates of the newest verifications, the push that was measured here, and the jobs' longest runs. */
  private async rates(): Promise<Rates> {
    const { stage, protection } = this;
    if (protection === undefined) return stage.plan.rates;
    const place = await stage.env.recoveryConfig({ name: "look" });
    const backends = await openBackends(await readConfig(place.config));
    try {
      const { records } = await new Catalog(backends, systemClock, { readOnly: true }).list();
      return { ...ratesFromRecords(records, stage.plan.rates, ["redis-snapshot", "postgres-incremental"]), push: protection.push };
    } finally {
      for (const backend of backends) backend.close();
    }
  }

  /**
   * Waits until just before the next snapshot of Redis is due, none under way: when a disaster costs most. At least
   * one of the schedule's own snapshots has been made before, in the region that leads now.
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
  const known = new Known(stage, stores, protection, checkSeconds);
  await (tier === "hot" ? known.predictHot() : known.predictWarm());
  return known;
}
