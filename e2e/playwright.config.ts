import { chromiumOptions } from "@molecule/testing/chromium";
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "./journeys",
  timeout: 120_000,
  expect: { timeout: 15_000 },
  // One product and two cores: journeys share the machine, so they run one after the other.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: true,
  reporter: [["list"], ["json"]],
  outputDir: "./test-results",
  use: {
    viewport: { width: 1440, height: 900 },
    trace: "retain-on-failure",
    launchOptions: chromiumOptions(),
  },
});
