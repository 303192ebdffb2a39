import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { listLoopAges } from "@molecule/db/processes/loop-ticks";
import { createTestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";

/** Loops that every worker runs, whatever backends it has. */
const LOOPS = [
  "announce",
  "fleet",
  "phantom busy",
  "prober",
  "reconciler",
  "scheduler",
  "sweeper",
  "team imports",
];

it("the worker process tells the age of each of its loops, until it ends in order", async () => {
  await using test = await createTestDatabase();
  const home = await mkdtemp(path.join(tmpdir(), "worker-"));
  await writeFile(path.join(home, "secrets.key"), randomBytes(32).toString("base64"));
  await writeFile(path.join(home, "worker.key"), randomBytes(32).toString("base64"));
  await writeFile(path.join(home, "platform-id"), randomUUID());
  const child = spawn(
    process.execPath,
    ["--import", "tsx", path.resolve(import.meta.dirname, "main.ts")],
    {
      env: {
        ...process.env,
        DATABASE_URL: test.url,
        MOLECULE_HOME: home,
        MOLECULE_BACKEND: "process",
        MOLECULE_SETTLE_SCALE: "0.1",
        RUNTIME_BUNDLE: path.join(home, "runtime.mjs"),
        LOG_LEVEL: "error",
      },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const ages = async () =>
    (await listLoopAges(test.db)).filter(({ processKind }) => processKind === "worker");
  try {
    const told = await waitUntil(
      "every loop has told its age",
      async () => {
        const found = await ages();
        return found.length >= LOOPS.length ? found : undefined;
      },
      { timeoutMs: 60_000 },
    );
    expect(told.map(({ loop }) => loop).sort()).toEqual(LOOPS);
    expect(new Set(told.map(({ processId }) => processId)).size).toBe(1);
  } finally {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }
  expect(await ages()).toEqual([]);
  await rm(home, { recursive: true });
}, 120_000);
