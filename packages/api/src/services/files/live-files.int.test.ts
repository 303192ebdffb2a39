import { createHash } from "node:crypto";
import { DomainError } from "@molecule/domain/errors";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestApi, NO_WORKER, type TestApi } from "../../api.fixture.ts";
import type { WorkerClient } from "../../deps.ts";
import { appRouter } from "../../root.ts";
import { createCaller } from "../../trpc.ts";

const files = new Map<string, Buffer>();
let isRestarting = false;
/** A worker with a folder in memory. */
const worker: WorkerClient = {
  ...NO_WORKER,
  call: async (operation, input) => {
    if (isRestarting) {
      throw new DomainError("workspace_restarting", "It is restarting.", {
        details: { restarting: true, attempt: 2, retry_after: 5 },
      });
    }
    const { path } = input as { path: string };
    const answers = {
      "files.list": () => ({
        entries: [...files].map(([name, bytes]) => ({
          path: name,
          size: bytes.length,
          dir: false,
        })),
        truncated: false,
      }),
      "files.read": () => {
        const bytes = files.get(path);
        if (bytes === undefined) throw new DomainError("not_found", "There is no such file.");
        return { content: bytes.toString("base64"), size: bytes.length };
      },
      "files.write": () => {
        const bytes = Buffer.from((input as { content: string }).content, "base64");
        files.set(path, bytes);
        return { size: bytes.length };
      },
      "files.delete": () => {
        files.delete(path);
        return {};
      },
      "logs.tail": () => ({ lines: [] }),
      "console.read": () => ({ output: "" }),
    };
    return answers[operation as keyof typeof answers]() as never;
  },
};

let api: TestApi;
let id: string;
beforeAll(async () => {
  api = await createTestApi({ worker });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  files.clear();
  isRestarting = false;
  id = await api.createWorkspace({ name: "Ada" });
});

const trpc = () =>
  createCaller(appRouter)({ deps: api.deps, auth: { kind: "admin" }, requestId: "r" });
const at = (path: string) => ({ workspaceId: id, root: "/workspace" as const, path });
const sha = (text: string) => createHash("sha256").update(text).digest("hex");

describe("files of the instance", () => {
  it("are written, read, listed and removed there, and nothing restarts", async () => {
    const written = await trpc().files.write({ ...at("a.txt"), content: "hi", baseSha256: null });
    expect(written).toEqual({ sha256: sha("hi"), willRestart: false });
    expect(await trpc().files.read(at("a.txt"))).toMatchObject({ content: "hi", isBinary: false });
    files.set("node_modules/x.js", Buffer.from("x"));
    const { entries } = await trpc().files.list({ ...at(""), depth: 3 });
    expect(entries.map((entry) => entry.path)).toEqual(["a.txt"]);
    await trpc().files.remove(at("a.txt"));
    expect(files.has("a.txt")).toBe(false);
    const [row] = await api.test.sql`SELECT desired_gen FROM workspaces WHERE id = ${id}`;
    expect(row?.desired_gen).toBe("1");
  });

  it("that changed meanwhile are not overwritten: both versions are answered", async () => {
    files.set("a.txt", Buffer.from("the agent's"));
    const write = trpc().files.write({ ...at("a.txt"), content: "mine", baseSha256: sha("old") });
    await expect(write).rejects.toMatchObject({
      cause: { code: "version_conflict", details: { current: "the agent's", yours: "mine" } },
    });
    expect(files.get("a.txt")?.toString()).toBe("the agent's");
  });

  it("are said to be binary when they are", async () => {
    files.set("a.bin", Buffer.from([0, 255, 1]));
    expect(await trpc().files.read(at("a.bin"))).toMatchObject({ isBinary: true, size: 3 });
  });

  it("answer 503 with the attempt during a restart, and /configs answers all the same", async () => {
    isRestarting = true;
    const live = await api.call("GET", `/workspaces/${id}/files?root=/workspace`);
    expect(live.status).toBe(503);
    expect(await live.json()).toMatchObject({ restarting: true, attempt: 2, retry_after: 5 });
    expect((await api.call("GET", `/workspaces/${id}/files`)).status).toBe(200);
  });

  it("are not reachable while paused, and not here at all for an agent elsewhere", async () => {
    await api.test.sql`UPDATE workspaces SET intent = 'paused' WHERE id = ${id}`;
    await expect(trpc().files.read(at("a.txt"))).rejects.toMatchObject({
      cause: { code: "workspace_paused" },
    });
    const far = await api.createWorkspace({ name: "Far", external: true, runtime: undefined });
    const read = trpc().files.read({ workspaceId: far, root: "/home", path: "a" });
    await expect(read).rejects.toMatchObject({ cause: { code: "not_available_here" } });
  });

  it("have paths that stay below their root", async () => {
    for (const path of ["../x", "/etc/passwd", "a/../../b", "a\u0000", ""]) {
      await expect(trpc().files.read(at(path))).rejects.toMatchObject({ code: "BAD_REQUEST" });
    }
  });
});
