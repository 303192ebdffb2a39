import { existsSync } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { TemplateWatch } from "./template-watch.ts";

let api: TestApi;
let dir: string;
beforeAll(async () => {
  api = await createTestApi();
  dir = await mkdtemp(path.join(tmpdir(), "molecule-watched-"));
});
afterAll(async () => {
  await rm(dir, { recursive: true });
  await api[Symbol.asyncDispose]();
});

/** In one step: a look between two would see something third. */
const put = async (id: string, yaml: string) => {
  const draft = await mkdtemp(path.join(dir, ".draft-"));
  await writeFile(path.join(draft, "config.yaml"), yaml);
  if (existsSync(path.join(dir, id))) {
    await rename(path.join(draft, "config.yaml"), path.join(dir, id, "config.yaml"));
  } else await rename(draft, path.join(dir, id));
};

it("tells of a template that comes, changes and breaks, once each, and of nothing else", async () => {
  let looks = 0;
  const deps = {
    ...api.deps,
    // Read once a look.
    get templatesDir() {
      looks += 1;
      return dir;
    },
  };
  const watch = new TemplateWatch(deps, { everyMs: 10 });
  let told = 0;
  const leave = watch.follow(() => {
    told += 1;
  });
  const further = async (count: number) => {
    const from = looks;
    await waitUntil("it looked again", () => looks >= from + count);
  };
  try {
    await further(2);
    expect(told, "the first look is no change").toBe(0);
    for (const [times, yaml] of [
      [1, "name: Clerk\nruntime: demo\n"],
      [2, "name: Night clerk\nruntime: demo\n"],
      [3, "name: [\n"],
    ] as const) {
      await put("clerk", yaml);
      await waitUntil("it is told", () => told === times);
      await further(2);
      expect(told).toBe(times);
    }
    leave();
    await put("another", "name: Another\nruntime: demo\n");
    const stopped = looks;
    await watch.stop();
    expect(told).toBe(3);
    expect(looks).toBeLessThanOrEqual(stopped + 1);
  } finally {
    await watch.stop();
  }
});
