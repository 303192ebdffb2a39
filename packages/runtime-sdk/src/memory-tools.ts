import type { MemoryView } from "@molecule/contracts/memory";
import type { platformToolInputs } from "@molecule/contracts/platform-tools";
import type { z } from "zod";
import type { PlatformClient } from "./platform-client.ts";

const DEFAULT_ROWS = 20;

/** Keeps what a model wants to remember; the text says so. @throws PlatformRefusal | NoAnswerError */
export async function commitMemory(
  client: PlatformClient,
  { content, scope, namespace }: z.infer<typeof platformToolInputs.commit_memory>,
): Promise<string> {
  const { id } = await client.remember({
    content,
    scope: scope ?? "LOCAL",
    ...(namespace === undefined ? {} : { namespace }),
  });
  return `Remembered (${scope ?? "LOCAL"}, id ${id}).`;
}

/** What is remembered, as text for a model. @throws PlatformRefusal | NoAnswerError */
export async function recallMemory(
  client: PlatformClient,
  asked: z.infer<typeof platformToolInputs.recall_memory>,
): Promise<string> {
  const { query, scope, namespace, limit } = asked;
  const found = await client.recall({
    limit: String(limit ?? DEFAULT_ROWS),
    ...(query === undefined ? {} : { q: query }),
    ...(scope === undefined ? {} : { scope }),
    ...(namespace === undefined ? {} : { namespace }),
  });
  if (found.length === 0) return "Nothing is remembered about this.";
  return found.map((memory) => describe(memory, client.workspaceId)).join("\n\n");
}

function describe(memory: MemoryView, ownId: string): string {
  const author = memory.workspace_id === ownId ? "yours" : `of agent ${memory.workspace_id}`;
  return `[${memory.scope}, ${author}, ${memory.namespace}, ${memory.created_at}, id ${memory.id}]\n${memory.content}`;
}
