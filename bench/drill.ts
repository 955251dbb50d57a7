import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { complaintsOfReport } from "../drill/report/verdict.ts";
import { drillFromOptions } from "../drill/run.ts";
import { observeCommands } from "../runner/system/process.ts";
import { observeWaits } from "../runner/system/wait.ts";
import type { BenchRow } from "./row.ts";

const reach = 1.15;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The time that is covered by at least one of the spans, in seconds. */
function covered(spans: readonly Span[]): number {
  let sum = 0;
  let end = -Infinity;
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    sum += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return sum;
}

/**
 * The whole default drill against the time in which a tool worked or a server was waited for (a lease, a promotion, a
 * snapshot that is due). What is left is the drill's own: making contents, checking rows, writing the report.
 */
export async function benchDrill(): Promise<BenchRow[]> {
  const out = await mkdtemp(join(tmpdir(), "bench-drill-"));
  const spans: Span[] = [];
  const now = () => performance.now() / 1_000;
  const add = (seconds: number) => spans.push({ from: now() - seconds, to: now() });
  const stop = [observeCommands(({ seconds }) => add(seconds)), observeWaits((_, seconds) => add(seconds))];
  const begun = now();
  try {
    const { report } = await drillFromOptions({ env: "local", scenario: "region-loss", agents: 30_000, scale: 20, seed: 1, out }, new AbortController().signal, () => undefined);
    const total = now() - begun;
    const tools = covered(spans);
    const ratio = total / tools;
    return [{ what: "the drill's own time (default drill, 30,000 agents)", against: "the time in which its tools worked or its servers were waited for", reach: `≤ ${reach}`, measured: `${ratio.toFixed(2)} (${total.toFixed(0)} s against ${tools.toFixed(0)} s)${report.passed ? "" : `; the drill failed: ${complaintsOfReport(report).join("; ")}`}`, ok: report.passed && ratio <= reach }];
  } finally {
    for (const end of stop) end();
    await rm(out, { recursive: true, force: true });
  }
}
