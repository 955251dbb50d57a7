import { defineConfig } from "vitest/config";

/**
 * Three tiers. `unit` is pure and quick; `real` starts real servers, three files at a time, as much of it is waiting;
 * `drill` plays whole scenarios one at a time, because what is measured must not be crowded on a machine of two cores.
 */
const leaveNothing = "test/harness/leave-nothing.ts";
const drills = "test/drill/scenarios.real.test.ts";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.real.test.ts"],
          // Loading a provider's SDK takes a second: once for each worker, not for each file.
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "real",
          include: ["test/**/*.real.test.ts"],
          exclude: [drills],
          setupFiles: [leaveNothing],
          testTimeout: 300_000,
          hookTimeout: 240_000,
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: "drill",
          include: [drills],
          setupFiles: [leaveNothing],
          testTimeout: 400_000,
          maxWorkers: 1,
        },
      },
    ],
  },
});
