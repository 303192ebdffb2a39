import { DomainError } from "@molecule/domain/errors";
import type { FileRoot } from "@molecule/domain/sets";
import type { LiveFiles } from "../../provisioning/compute-backend.ts";
import { type Ec2Scope, mountExisting, runningMachineOf } from "./create-machine.ts";
import { callMachine, MachineRefusal } from "./machine-calls.ts";

/** Most bytes of one file that go through one call. */
const MAX_FILE_BYTES = 10 * 1024 * 1024;

const SENTENCES = {
  not_found: "There is no such file.",
  bad_request: "This is no regular file.",
  payload_too_large: "This file is too large to be shown.",
} as const;

/** File operations on the workspace's running machine. */
export function createLiveFiles(scope: Ec2Scope): LiveFiles {
  const call = async <T>(workspaceId: string, op: string, input: object): Promise<T> => {
    const machine = await runningMachineOf(scope, workspaceId);
    if (machine === null) throw notRunning();
    const run = () => callMachine<T>(scope.shell, machine, { op, input });
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof MachineRefusal)) throw error;
      const code = error.code as keyof typeof SENTENCES;
      if (code in SENTENCES) throw new DomainError(code, SENTENCES[code], { cause: error });
      throw error;
    }
  };
  return {
    list: (workspaceId, { root, path, depth }) => call(workspaceId, "list", { root, path, depth }),
    read: async (workspaceId: string, root: FileRoot, path: string) => {
      const input = { root, path, maxBytes: MAX_FILE_BYTES };
      const { content } = await call<{ content: string }>(workspaceId, "read", input);
      return new Uint8Array(Buffer.from(content, "base64"));
    },
    write: async (workspaceId, root, { path, content }) => {
      const text = Buffer.from(content).toString("base64");
      await call(workspaceId, "write", { root, path, content: text });
    },
    remove: async (workspaceId, root, path) => {
      await call(workspaceId, "remove", { root, path });
    },
  };
}

/** Managed files as they are on the machine; null where there is no disk or nothing runs. */
export async function readConfigs(
  scope: Ec2Scope,
  workspaceId: string,
): Promise<ReadonlyMap<string, Uint8Array> | null> {
  const machine = await runningMachineOf(scope, workspaceId);
  if (machine === null) return null;
  if (!(await mountExisting(scope, machine, workspaceId))) return null;
  const { files } = await callMachine<{ files: Record<string, string> | null }>(
    scope.shell,
    machine,
    { op: "configs" },
  );
  if (files === null) return null;
  return new Map(
    Object.entries(files).map(([path, text]) => [
      path,
      new Uint8Array(Buffer.from(text, "base64")),
    ]),
  );
}

function notRunning(): DomainError {
  return new DomainError(
    "workspace_unreachable",
    "The machine of this agent does not run, so its files cannot be read.",
    { next: "Start the agent, then try again." },
  );
}
