import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type {
  ComputeBackend,
  Instance,
  InstanceKey,
  InstanceSpec,
  ProjectedFile,
} from "./compute-backend.ts";

/** One backend under test and what the suite must know of it. */
export interface ContractSubject {
  readonly backend: ComputeBackend;
  /** What every spec of this backend has beside the key and the files. */
  readonly specDefaults: Pick<InstanceSpec, "name" | "runtime" | "tier" | "env">;
  /** How an instance's address looks. Absent: a port on this machine. */
  readonly address?: RegExp;
  /** Whether something answers HTTP at an instance's address; false for a fake. */
  readonly servesHttp: boolean;
  /** Ends an instance from within, as a crash would; absent where the suite cannot. */
  readonly crash?: (instance: Instance) => Promise<void>;
  /** Nothing of the test is left on the machine. */
  close(): Promise<void>;
}

const never = new AbortController().signal;
const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const file = (path: string, content: string, mode = 0o644): ProjectedFile => ({
  path,
  content: text(content),
  mode,
});
const ANSWER_WITHIN_MS = 15_000;

/**
 * What every adapter of {@link ComputeBackend} and the fake guarantee. `open` is called once; every
 * test uses a workspace of its own, and what a test creates it removes.
 */
export function computeBackendContract(name: string, open: () => Promise<ContractSubject>): void {
  describe(`${name}: the backend contract`, () => {
    let subject: ContractSubject;
    let backend: ComputeBackend;
    const workspaces = new Set<string>();

    const workspace = (): string => {
      const id = randomUUID();
      workspaces.add(id);
      return id;
    };
    const specOf = (key: InstanceKey, parts: Partial<InstanceSpec> = {}): InstanceSpec => ({
      ...subject.specDefaults,
      ...key,
      createToken: `create-${key.workspaceId}-${key.attemptNo}`,
      files: [file("config.yaml", "name: Ada\n"), file(".auth_token", "wst_secret", 0o600)],
      removedFiles: [],
      ...parts,
    });
    const create = (key: InstanceKey, parts: Partial<InstanceSpec> = {}): Promise<Instance> => {
      made.push(key);
      return backend.create(specOf(key, parts), never);
    };
    const made: InstanceKey[] = [];
    /** What there is of a workspace: by the listing, or by every attempt the test has asked for. */
    const listed = async (workspaceId: string): Promise<readonly Instance[]> => {
      if (backend.capabilities.list) {
        return (await backend.list()).filter((instance) => instance.workspaceId === workspaceId);
      }
      const asked = new Set(
        made.filter((key) => key.workspaceId === workspaceId).map((key) => key.attemptNo),
      );
      const found = [...asked].map((attemptNo) => backend.inspect({ workspaceId, attemptNo }));
      return (await Promise.all(found)).filter((instance) => instance !== null);
    };
    const readsAtRest = () => backend.capabilities.readsAtRest !== false;
    const configsOf = async (workspaceId: string): Promise<Record<string, string> | null> => {
      const files = await backend.readConfigs(workspaceId);
      if (files === null) return null;
      const entries = [...files].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]);
      return Object.fromEntries(entries);
    };

    beforeAll(async () => {
      subject = await open();
      backend = subject.backend;
      await backend.prepare(subject.specDefaults.runtime, () => undefined, never);
    }, 240_000);

    afterAll(async () => {
      try {
        const left = backend.capabilities.list ? await backend.list() : made;
        for (const instance of left) {
          if (workspaces.has(instance.workspaceId)) await backend.remove(instance, never);
        }
        for (const id of workspaces) await backend.removeVolumes(id);
      } finally {
        await subject.close();
      }
    }, 120_000);

    it("says that it can be used, and what using it means", async () => {
      const answer = await backend.availability();
      expect(answer.isAvailable).toBe(true);
      expect(answer.note).not.toBe("");
    });

    it("creates a running instance that inspect and list agree on", async () => {
      const key = { workspaceId: workspace(), attemptNo: 1 };
      const made = await create(key);
      expect(made).toMatchObject({ ...key, state: "running", exit: null });
      expect(made.address).toMatch(subject.address ?? /^127\.0\.0\.1:\d+$/);
      expect(await backend.inspect(key)).toEqual(made);
      const [row, ...others] = await listed(key.workspaceId);
      expect(row).toMatchObject({ ...key, providerId: made.providerId, state: "running" });
      expect(others).toEqual([]);
      await backend.remove(key, never);
    });

    it("serves the runtime at the address it gave", async () => {
      if (!subject.servesHttp) return;
      const key = { workspaceId: workspace(), attemptNo: 1 };
      const made = await create(key);
      const response = await answerOf(`http://${made.address}/.well-known/agent-card.json`);
      expect(response.status).toBe(200);
      await backend.remove(key, never);
    });

    it("adopts what an earlier call for the same attempt made", async () => {
      const key = { workspaceId: workspace(), attemptNo: 3 };
      const first = await create(key);
      const second = await create(key);
      expect(second.providerId).toBe(first.providerId);
      expect(second.address).toBe(first.address);
      expect(await listed(key.workspaceId)).toHaveLength(1);
      await backend.remove(key, never);
    });

    it("makes one instance when two callers create the same attempt at once", async () => {
      const key = { workspaceId: workspace(), attemptNo: 1 };
      const made = await Promise.all([create(key), create(key)]);
      expect(new Set(made.map((instance) => instance.providerId)).size).toBe(1);
      expect(await listed(key.workspaceId)).toHaveLength(1);
      await backend.remove(key, never);
    });

    it("answers null for an instance that does not exist", async () => {
      expect(await backend.inspect({ workspaceId: workspace(), attemptNo: 1 })).toBeNull();
    });

    it("keeps attempts apart: another number is another instance", async () => {
      const workspaceId = workspace();
      await create({ workspaceId, attemptNo: 1 });
      expect(await backend.inspect({ workspaceId, attemptNo: 2 })).toBeNull();
      await backend.remove({ workspaceId, attemptNo: 2 }, never);
      expect(await backend.inspect({ workspaceId, attemptNo: 1 })).not.toBeNull();
      await backend.remove({ workspaceId, attemptNo: 1 }, never);
    });

    it("has nothing left of an instance when remove resolves, and removes twice", async () => {
      const key = { workspaceId: workspace(), attemptNo: 1 };
      await create(key);
      await backend.remove(key, never);
      expect(await backend.inspect(key)).toBeNull();
      expect(await listed(key.workspaceId)).toEqual([]);
      await backend.remove(key, never);
    });

    it("lets two callers remove the same instance at once", async () => {
      const key = { workspaceId: workspace(), attemptNo: 1 };
      await create(key);
      await Promise.all([backend.remove(key, never), backend.remove(key, never)]);
      expect(await backend.inspect(key)).toBeNull();
    });

    it("names the same machine every time, also when nothing runs on it", async () => {
      const name = await backend.identity();
      expect(name).not.toBe("");
      const key = { workspaceId: workspace(), attemptNo: 1 };
      await create(key);
      expect(await backend.identity()).toBe(name);
      await backend.remove(key, never);
      await backend.removeVolumes(key.workspaceId);
      expect(await backend.identity()).toBe(name);
    });

    it("takes the address from an instance that is fenced, and removes it afterwards", async () => {
      const workspaceId = workspace();
      const old = { workspaceId, attemptNo: 1 };
      const made = await create(old);
      if (subject.servesHttp) await answerOf(`http://${made.address}/`);
      await backend.fence(old, never);
      await backend.fence(old, never);
      if (subject.servesHttp && backend.capabilities.fence) {
        await noAnswerOf(`http://${made.address}/`);
      }
      const next = await create({ workspaceId, attemptNo: 2 });
      expect(next.state).toBe("running");
      if (subject.servesHttp) await answerOf(`http://${next.address}/`);
      await backend.remove(old, never);
      expect((await listed(workspaceId)).map((one) => one.attemptNo)).toEqual([2]);
      await backend.fence(old, never);
      await backend.remove({ workspaceId, attemptNo: 2 }, never);
    });

    it("makes nothing when the caller has given up already", async () => {
      const key = { workspaceId: workspace(), attemptNo: 1 };
      const gone = AbortSignal.abort(new Error("lease lost"));
      await expect(backend.create(specOf(key), gone)).rejects.toThrow();
      expect(await listed(key.workspaceId)).toEqual([]);
    });

    it("reports an instance that ended by itself as exited", async () => {
      if (subject.crash === undefined) return;
      const key = { workspaceId: workspace(), attemptNo: 1 };
      await subject.crash(await create(key));
      const seen = await backend.inspect(key);
      expect(seen).toMatchObject({ ...key, state: "exited", address: null });
      expect(seen?.exit).not.toBeNull();
      await backend.remove(key, never);
    });

    it("reads the managed files back, without dot-files, running and stopped", async () => {
      if (!backend.capabilities.files) return;
      const key = { workspaceId: workspace(), attemptNo: 1 };
      await create(key, {
        files: [
          file("config.yaml", "name: Ada\n"),
          file("skills/deep/read me.md", "grüße\n"),
          file(".auth_token", "wst_secret", 0o600),
        ],
      });
      const expected = { "config.yaml": "name: Ada\n", "skills/deep/read me.md": "grüße\n" };
      expect(await configsOf(key.workspaceId)).toEqual(expected);
      await backend.remove(key, never);
      expect(await configsOf(key.workspaceId)).toEqual(readsAtRest() ? expected : null);
    });

    it("has no configuration of a workspace that never ran", async () => {
      expect(await backend.readConfigs(workspace())).toBeNull();
    });

    it("projects the next snapshot over the last: replaced, kept and removed files", async () => {
      if (!backend.capabilities.files) return;
      const workspaceId = workspace();
      await create(
        { workspaceId, attemptNo: 1 },
        { files: [file("config.yaml", "one"), file("notes/old.md", "old"), file("kept.md", "k")] },
      );
      await backend.remove({ workspaceId, attemptNo: 1 }, never);
      await create(
        { workspaceId, attemptNo: 2 },
        { files: [file("config.yaml", "two")], removedFiles: ["notes/old.md", "never-was.md"] },
      );
      expect(await configsOf(workspaceId)).toEqual({ "config.yaml": "two", "kept.md": "k" });
      await backend.remove({ workspaceId, attemptNo: 2 }, never);
    });

    it("keeps what was written to live folders over stop and restart", async () => {
      if (!backend.capabilities.files) return;
      const workspaceId = workspace();
      const { files } = backend;
      await create({ workspaceId, attemptNo: 1 });
      await files.write(workspaceId, "/workspace", { path: "a/b.txt", content: text("hello") });
      await backend.remove({ workspaceId, attemptNo: 1 }, never);
      const read = async () =>
        new TextDecoder().decode(await files.read(workspaceId, "/workspace", "a/b.txt"));
      if (readsAtRest()) expect(await read()).toBe("hello");
      else await expect(read()).rejects.toMatchObject({ code: "workspace_unreachable" });
      await create({ workspaceId, attemptNo: 2 });
      expect(await read()).toBe("hello");
      const listing = await files.list(workspaceId, { root: "/workspace", path: "", depth: 2 });
      expect(listing.truncated).toBe(false);
      expect(listing.entries).toContainEqual({ path: "a/b.txt", size: 5, dir: false });
      await files.remove(workspaceId, "/workspace", "a/b.txt");
      await expect(files.read(workspaceId, "/workspace", "a/b.txt")).rejects.toMatchObject({
        code: "not_found",
      });
      await backend.remove({ workspaceId, attemptNo: 2 }, never);
    });

    it("keeps the live folders apart", async () => {
      if (!backend.capabilities.files) return;
      const workspaceId = workspace();
      await create({ workspaceId, attemptNo: 1 });
      for (const root of ["/workspace", "/home", "/plugins"] as const) {
        await backend.files.write(workspaceId, root, { path: "mine.txt", content: text(root) });
      }
      for (const root of ["/workspace", "/home", "/plugins"] as const) {
        const content = await backend.files.read(workspaceId, root, "mine.txt");
        expect(new TextDecoder().decode(content)).toBe(root);
      }
      await backend.remove({ workspaceId, attemptNo: 1 }, never);
    });

    it("says so where files cannot be reached, and has a console where it says it has", async () => {
      const workspaceId = workspace();
      const { files } = backend;
      if (!backend.capabilities.files) {
        const at = { root: "/workspace", path: "", depth: 1 } as const;
        const refused = { code: "not_available_here" };
        await expect(files.list(workspaceId, at)).rejects.toMatchObject(refused);
        await expect(files.read(workspaceId, "/home", "a")).rejects.toMatchObject(refused);
      }
      expect(backend.console !== undefined).toBe(backend.capabilities.console);
      expect((await backend.console?.(workspaceId, null)) ?? "").toBe("");
    });

    it("stores nothing of a workspace any more once its volumes are removed", async () => {
      const key = { workspaceId: workspace(), attemptNo: 1 };
      await create(key);
      await backend.remove(key, never);
      await backend.removeVolumes(key.workspaceId);
      expect(await backend.readConfigs(key.workspaceId)).toBeNull();
      await backend.removeVolumes(key.workspaceId);
    });

    it("starts the next attempt on new folders after they were removed", async () => {
      if (!backend.capabilities.files) return;
      const key = { workspaceId: workspace(), attemptNo: 1 };
      await create(key, { files: [file("config.yaml", "name: Ada\n"), file("old.md", "old")] });
      const at = { path: "work.md", content: text("work") };
      await backend.files.write(key.workspaceId, "/workspace", at);
      await backend.remove(key, never);
      await backend.removeVolumes(key.workspaceId);
      const next = { ...key, attemptNo: 2 };
      expect(await create(next)).toMatchObject({ state: "running" });
      expect(Object.keys((await configsOf(key.workspaceId)) ?? {})).not.toContain("old.md");
      await expect(
        backend.files.read(key.workspaceId, "/workspace", at.path),
      ).rejects.toMatchObject({ code: "not_found" });
      await backend.remove(next, never);
    });

    it("has the instance's last lines, and none for one that does not exist", async () => {
      const key = { workspaceId: workspace(), attemptNo: 1 };
      const made = await create(key);
      if (subject.servesHttp) await answerOf(`http://${made.address}/`);
      const lines = await backend.logs(key.workspaceId, 1, 2);
      expect(lines.length).toBeLessThanOrEqual(2);
      expect(lines.every((line) => !line.includes("\n"))).toBe(true);
      expect(await backend.logs(workspace(), null, 5)).toEqual([]);
      await backend.remove(key, never);
    });
  });
}

/** The first answer at an address whose server may not listen yet. */
async function answerOf(url: string): Promise<Response> {
  const deadline = performance.now() + ANSWER_WITHIN_MS;
  for (;;) {
    try {
      return await fetch(url, { signal: AbortSignal.timeout(2_000) });
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

/** Resolves when nothing answers at an address any more. */
async function noAnswerOf(url: string): Promise<void> {
  const deadline = performance.now() + ANSWER_WITHIN_MS;
  for (;;) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    if (answer === null) return;
    if (performance.now() > deadline) throw new Error(`something answers at ${url}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
