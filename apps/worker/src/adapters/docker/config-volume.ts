import type { Readable } from "node:stream";
import { readManagedFiles } from "./archive.ts";
import { latestContainer } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { hasStatus } from "./engine-error.ts";
import { VOLUME_MOUNTS } from "./names.ts";
import { runTask, type TaskScope, withTaskContainer } from "./task-container.ts";
import { hasVolume } from "./volumes.ts";

const READ_TIMEOUT_MS = 60_000;
const REMOVE_TIMEOUT_MS = 60_000;
/** Paths per helper run: 200 of at most 512 bytes stay below the kernel's argument limit. */
const REMOVE_BATCH = 200;
const MAX_OUTPUT_BYTES = 64 * 1024;

/**
 * Removes each argument below `/configs` and then the folders that this emptied. Runs as the agent's
 * uid over this one volume, so that a link planted by an agent leads nowhere new.
 */
const REMOVE_SCRIPT = `
const { rmSync, rmdirSync } = require("node:fs");
const path = require("node:path");
for (const file of process.argv.slice(1)) {
  rmSync(path.join("/configs", file), { force: true, recursive: true });
  for (let folder = path.dirname(file); folder !== "."; folder = path.dirname(folder)) {
    try { rmdirSync(path.join("/configs", folder)); } catch { break; }
  }
}
console.log("done");
`;

/**
 * The managed files on the workspace's volume; null when it has no volume. Read through the latest
 * container, running or not, else through one that is made for it and never started.
 */
export async function readConfigs(
  scope: TaskScope,
  workspaceId: string,
): Promise<ReadonlyMap<string, Uint8Array> | null> {
  const { engine, platformId } = scope;
  if (!(await hasVolume(engine, platformId, workspaceId, "configs"))) return null;
  const existing = await latestContainer(engine, platformId, workspaceId);
  if (existing !== null) {
    try {
      return await archived(engine, existing.Id);
    } catch (error) {
      // It went away in between: the helper reads the same volume.
      if (!hasStatus(error, 404, 409)) throw error;
    }
  }
  const task = {
    workspaceId,
    volumes: ["configs"] as const,
    args: ["--version"],
  };
  return withTaskContainer(scope, task, (container) => archived(engine, container.id));
}

function archived(engine: Engine, containerId: string): Promise<Map<string, Uint8Array>> {
  return engine.call(
    "read the configuration files",
    async (docker, abortSignal) => {
      const container = docker.getContainer(containerId);
      const stream = await container.getArchive({ path: VOLUME_MOUNTS.configs, abortSignal });
      return readManagedFiles(stream as Readable);
    },
    { timeoutMs: READ_TIMEOUT_MS },
  );
}

/** None of the paths exists on the workspace's configuration volume. */
export async function removeManagedFiles(
  scope: TaskScope,
  workspaceId: string,
  paths: readonly string[],
): Promise<void> {
  for (let at = 0; at < paths.length; at += REMOVE_BATCH) {
    const task = {
      workspaceId,
      volumes: ["configs"] as const,
      args: ["-e", REMOVE_SCRIPT, "--", ...paths.slice(at, at + REMOVE_BATCH)],
    };
    const output = await runTask(
      scope,
      task,
      { input: "", maxBytes: MAX_OUTPUT_BYTES },
      { timeoutMs: REMOVE_TIMEOUT_MS },
    );
    if (output.toString("utf8").trim() !== "done") {
      throw new Error("removing configuration files did not finish");
    }
  }
}
