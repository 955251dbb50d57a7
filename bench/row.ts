/** A line of the benchmark's table; ratios come from one run on one machine. */
export interface BenchRow {
  readonly what: string;
  readonly against: string;
  /** What must be reached, e.g. `≤ 1.15`. */
  readonly reach: string;
  readonly measured: string;
  readonly ok: boolean;
}
