import { defineConfig } from "vitest/config";

/** `quick`: beside the tree it mirrors, no network, seconds. `real`: real servers and programs, minutes. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "quick",
          sequence: { groupOrder: 0 },
          include: ["test/**/*.test.ts"],
          exclude: ["test/real/**"],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "real",
          sequence: { groupOrder: 1 },
          include: ["test/real/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
    ],
  },
});
