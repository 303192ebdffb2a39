import { defineConfig } from "vitest/config";
import { GUARDED_FILE, guarded } from "./packages/db/src/guarded-driver.mjs";

export default defineConfig({
  plugins: [
    {
      // The driver as the product bundles it.
      name: "guarded-driver",
      /** @param {string} source @param {string} id */
      transform: (source, id) => (GUARDED_FILE.test(id) ? guarded(source, id) : null),
    },
  ],
  test: {
    include: ["{apps,packages}/*/src/**/*.test.{ts,tsx}"],
    globalSetup: ["packages/testing/src/global-setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    server: { deps: { inline: ["postgres"] } },
  },
});
