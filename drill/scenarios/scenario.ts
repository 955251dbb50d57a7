import type { FailureScope, Tier } from "../../plan/types.ts";
import type { Stage } from "../stage.ts";

/** One disaster: what it breaks, which promise it measures, and how it is played. */
export interface Scenario {
  readonly name: string;
  /** One line for `dr drill list`. */
  readonly title: string;
  readonly scope: FailureScope;
  /** A run each, in this order; the first one's recorder is there when `play` begins. */
  readonly tiers: readonly [Tier, ...Tier[]];
  /** Plays it on a production that runs, is seeded and has its workload; throws where the drill cannot go on. */
  play(stage: Stage): Promise<void>;
}
