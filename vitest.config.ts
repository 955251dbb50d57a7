import { defineConfig } from "vitest/config";

/**
 * Two tiers. `unit` is pure and quick and runs in parallel; `real` starts real servers and whole drills,
 * one file at a time, because a machine has two cores and what is timed must not be crowded.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.real.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "real",
          include: ["test/**/*.real.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          maxWorkers: 1,
        },
      },
    ],
  },
});
