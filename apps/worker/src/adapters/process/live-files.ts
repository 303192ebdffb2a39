import { spawn } from "node:child_process";
import { lstat } from "node:fs/promises";
import { DomainError, ERROR_CODES, type ErrorCode } from "@molecule/domain/errors";
import type { FileRoot } from "@molecule/domain/sets";
import { z } from "zod";
import type { LiveFiles } from "../../provisioning/compute-backend.ts";
import type { Accounts } from "./accounts.ts";
import { folderOfRoot, placesOf } from "./places.ts";

/** How live file operations are run. */
export interface LiveFilesOptions {
  readonly home: string;
  readonly accounts: Accounts;
  readonly nodePath: string;
  readonly runtimeBundle: string;
  readonly inherited: Readonly<Record<string, string>>;
}

const answer = z.union([
  z.looseObject({ ok: z.literal(true) }),
  z.object({ ok: z.literal(false), code: z.string(), sentence: z.string() }),
]);
const listing = z.object({
  entries: z.array(z.object({ path: z.string(), size: z.number(), dir: z.boolean() })),
  truncated: z.boolean(),
});
const reading = z.object({ content: z.string() });

/** An operation may take no longer, and its answer be no larger: 25 MiB in base64 and a little. */
const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 40 * 1024 * 1024;

/**
 * File operations as the workspace's own user: each is one short process of the runtime's `fs` command,
 * so that no link an agent made leads the platform out of the workspace.
 */
export function createLiveFiles(options: LiveFilesOptions): LiveFiles {
  const perform = async (workspaceId: string, root: FileRoot, operation: object) => {
    const places = placesOf(options.home, workspaceId);
    const folder = folderOfRoot(places, root);
    if (!(await lstat(folder).catch(() => null))?.isDirectory()) {
      throw new DomainError("not_found", "This workspace has not been started yet.", {
        next: "Try again when it is online.",
      });
    }
    const account = await options.accounts.find(places);
    return await runFs(options, account, { ...operation, root: folder });
  };
  return {
    list: async (workspaceId, at) => {
      const { root, path, depth } = at;
      return listing.parse(await perform(workspaceId, root, { op: "list", path, depth }));
    },
    read: async (workspaceId, root, path) => {
      const { content } = reading.parse(await perform(workspaceId, root, { op: "read", path }));
      return new Uint8Array(Buffer.from(content, "base64"));
    },
    write: async (workspaceId, root, file) => {
      const content = Buffer.from(file.content).toString("base64");
      await perform(workspaceId, root, { op: "write", path: file.path, content });
    },
    remove: async (workspaceId, root, path) => {
      await perform(workspaceId, root, { op: "remove", path });
    },
  };
}

async function runFs(
  options: LiveFilesOptions,
  account: { readonly uid: number; readonly gid: number } | null,
  operation: object,
): Promise<unknown> {
  const child = spawn(options.nodePath, [options.runtimeBundle, "fs"], {
    cwd: "/",
    env: { ...options.inherited },
    stdio: ["pipe", "pipe", "ignore"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
    ...(account ?? {}),
  });
  const output = await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    child.once("error", reject);
    child.stdin.once("error", () => undefined);
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) child.kill("SIGKILL");
      else chunks.push(chunk);
    });
    child.once("close", () => resolve(Buffer.concat(chunks)));
    child.stdin.end(JSON.stringify(operation));
  });
  const parsed = answer.safeParse(parseJson(output.toString("utf8")));
  if (!parsed.success) {
    throw new DomainError("upstream_failed", "The file operation was not answered.", {
      next: "Try again.",
    });
  }
  if (parsed.data.ok) return parsed.data;
  throw new DomainError(codeOf(parsed.data.code), parsed.data.sentence);
}

function codeOf(text: string): ErrorCode {
  return ERROR_CODES.find((code) => code === text) ?? "internal";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
