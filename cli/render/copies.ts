import { formatDuration, formatSize } from "../../plan/units.ts";
import type { CopyResult } from "../../runner/catalog/record.ts";

/** A line per copy: where it is, or why it is not. */
export function renderCopies(copies: readonly CopyResult[]): string[] {
  return copies.map((copy) => (copy.status === "ok" ? `  ${copy.backend}: ${copy.uri} (${formatSize(copy.bytes)} in ${formatDuration(copy.seconds)})` : `  ${copy.backend}: FAILED: ${copy.error}`));
}
