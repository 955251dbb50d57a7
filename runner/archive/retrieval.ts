/** How long a retrieval takes and what it costs, said before it starts. */
import { days, hours, minutes, type Duration } from "../../plan/units.ts";

export type RetrievalTier = "expedited" | "standard" | "bulk";
export const retrievalTiers: readonly RetrievalTier[] = ["expedited", "standard", "bulk"];
export type StorageClass = "GLACIER" | "DEEP_ARCHIVE";

export interface RetrievalTerms {
  readonly from: Duration;
  readonly to: Duration;
  /** USD for each GB. Of 2026-08, us-east-1, long-standing list prices that were not looked up again. */
  readonly usdPerGb: number;
  /** Bytes above which AWS does not promise the time. */
  readonly promisedUpTo?: number;
}

/** Facts F2: a vault is Glacier Flexible; Deep Archive has no expedited tier. */
const terms: Readonly<Record<StorageClass, Readonly<Partial<Record<RetrievalTier, RetrievalTerms>>>>> = {
  GLACIER: {
    expedited: { from: minutes(1), to: minutes(5), usdPerGb: 0.03, promisedUpTo: 250e6 },
    standard: { from: hours(3), to: hours(5), usdPerGb: 0.01 },
    bulk: { from: hours(5), to: hours(12), usdPerGb: 0 },
  },
  DEEP_ARCHIVE: {
    standard: { from: hours(12), to: hours(12), usdPerGb: 0.02 },
    bulk: { from: hours(12), to: days(2), usdPerGb: 0.0025 },
  },
};

export const termsOf = (storageClass: StorageClass, tier: RetrievalTier): RetrievalTerms | undefined => terms[storageClass][tier];

/** USD. Out of AWS it costs its egress besides, which depends on where it goes. */
export const costOf = ({ usdPerGb }: RetrievalTerms, bytes: number): number => (bytes / 1e9) * usdPerGb;
