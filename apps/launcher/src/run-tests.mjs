/**
 * `npm test`: everything that can run on this machine — static checks, units, components,
 * integration on a real Postgres, browser journeys — and one closing line that counts it all.
 * `npm run test:long` adds what is counted in thousands.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { buildIfStale, installIfStale } from "./prepare.mjs";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const isLong = process.argv.includes("--long");

/** @typedef {{passed: number, failed: number, skipped: number}} Counts */

/**
 * @param {string} title
 * @param {string[]} command
 * @param {Record<string, string>} [env]
 * @returns {Promise<number>} the exit code
 */
async function run(title, command, env = {}) {
  const started = performance.now();
  process.stdout.write(`\n── ${title}\n`);
  const [file = "", ...args] = command;
  const code = await new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
    });
    child.on("error", (error) => {
      process.stderr.write(`${error.message}\n`);
      resolve(127);
    });
    child.on("exit", (exit) => resolve(exit ?? 1));
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`── ${title}: ${code === 0 ? "passed" : "FAILED"} in ${seconds} s\n`);
  return Number(code);
}

/** @param {string} file @returns {Promise<Record<string, any> | null>} */
async function readReport(file) {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return null;
  }
}

/** @param {string} folder @returns {Promise<Counts>} */
async function unitsAndIntegration(folder) {
  const report = path.join(folder, "vitest.json");
  const code = await run(
    "Units, components, integration",
    [
      "npx",
      "vitest",
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
    ],
    isLong ? { MOLECULE_TEST_LONG: "1" } : {},
  );
  const json = await readReport(report);
  const failed = json?.numFailedTests ?? 0;
  return {
    passed: json?.numPassedTests ?? 0,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: (json?.numPendingTests ?? 0) + (json?.numTodoTests ?? 0),
  };
}

/** @param {string} folder @returns {Promise<Counts>} */
async function journeys(folder) {
  const report = path.join(folder, "playwright.json");
  const code = await run(
    "Browser journeys",
    ["npx", "playwright", "test", "--config", "e2e/playwright.config.ts"],
    { PLAYWRIGHT_JSON_OUTPUT_NAME: report },
  );
  const stats = (await readReport(report))?.stats;
  const failed = (stats?.unexpected ?? 0) + (stats?.flaky ?? 0);
  return {
    passed: stats?.expected ?? 0,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: stats?.skipped ?? 0,
  };
}

/** @param {Counts[]} all @returns {Counts} */
const sum = (all) => ({
  passed: all.reduce((n, one) => n + one.passed, 0),
  failed: all.reduce((n, one) => n + one.failed, 0),
  skipped: all.reduce((n, one) => n + one.skipped, 0),
});

const folder = await mkdtemp(path.join(os.tmpdir(), "molecule-test-"));
/** @type {Counts[]} */
const results = [];
try {
  await installIfStale();
  const checks = ["check:format", "check:boundaries", "check:dead", "check:types"];
  for (const check of checks) {
    const code = await run(check, ["npm", "run", "--silent", check]);
    results.push({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 });
  }
  await buildIfStale();
  results.push(await unitsAndIntegration(folder));
  results.push(await journeys(folder));
} finally {
  await rm(folder, { recursive: true, force: true });
}
const total = sum(results);
process.stdout.write(
  `\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`,
);
process.exitCode = total.failed === 0 ? 0 : 1;
