import { formatDuration } from "../../plan/units.ts";
import type { DrillRun, Figure } from "./model.ts";
import { verdictOf } from "./verdict.ts";

/** A measured span for people: milliseconds below a second, so that a lag of 40 ms does not read as none. */
export function spanText(seconds: number): string {
  return seconds > 0 && seconds < 1 ? `${Math.max(1, Math.round(seconds * 1_000))} ms` : formatDuration(seconds);
}

export const spanOrUnknown = (seconds: number | null): string => (seconds === null ? "not measured" : spanText(seconds));

/** When the system was back; a run that failed before any store was back has no such time, whatever its field says. */
export const recoveryText = (run: DrillRun): string => (run.error !== null && run.stores.length === 0 ? "not recovered" : spanText(run.rtoSeconds));

/** `2026-11-22 20:30:20 UTC`. */
export const timeText = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;

/** What one figure came to, in two or three words. */
export function verdictText(figure: Figure): string {
  const { promise, prediction } = verdictOf(figure);
  if (promise === "not measured") return "not measured";
  const kept = promise === "accepted" ? "accepted" : promise;
  return prediction === "honest" ? kept : `${kept}, predicted ${prediction}`;
}

export type Tone = "good" | "note" | "bad" | "quiet";

export function toneOf(figure: Figure): Tone {
  const { promise, ok } = verdictOf(figure);
  if (!ok) return "bad";
  if (promise === "not measured") return "quiet";
  return promise === "accepted" ? "note" : "good";
}
