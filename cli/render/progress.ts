import { formatSize } from "../../plan/units.ts";
import type { Progress } from "../../runner/context.ts";
import { secondsSince } from "../../runner/system/clock.ts";

export interface ProgressSink {
  report(progress: Progress): void;
  /** Ends the line that a terminal shows, so that what follows starts on its own. */
  end(): void;
}

/** What a person reads of a step: `restore 12 MiB of 80 MiB`. */
export function progressText({ step, done, total, unit }: Progress): string {
  if (done === undefined) return step;
  const amount = (value: number) => (unit === "bytes" ? formatSize(value) : `${value.toLocaleString("en")}${unit === undefined ? "" : ` ${unit}`}`);
  return total === undefined ? `${step}: ${amount(done)}` : `${step}: ${amount(done)} of ${amount(total)}`;
}

/** One line that renews itself on a terminal; plain lines elsewhere, at most one in five seconds a step. */
export function progressOn(stream: NodeJS.WriteStream): ProgressSink {
  const begun = performance.now();
  let lastStep = "";
  let lastAt = -Infinity;
  let open = false;
  return {
    report(progress) {
      const now = performance.now();
      const fresh = progress.step !== lastStep;
      if (!fresh && now - lastAt < (stream.isTTY ? 100 : 5_000)) return;
      lastAt = now;
      const text = `[${secondsSince(begun).toFixed(1).padStart(6)} s] ${progressText(progress)}`;
      if (!stream.isTTY) {
        stream.write(`${text}\n`);
      } else {
        stream.write(`${open && fresh ? "\n" : "\r"}\u001b[2K${text.slice(0, (stream.columns || 100) - 1)}`);
        open = true;
      }
      lastStep = progress.step;
    },
    end() {
      if (open) stream.write("\n");
      open = false;
    },
  };
}
