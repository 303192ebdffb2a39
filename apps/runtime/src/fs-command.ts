import path from "node:path";
import { isDomainError } from "@molecule/domain/errors";
import { SafeFiles } from "@molecule/runtime-sdk/files/safe-files";
import { z } from "zod";

const request = z.discriminatedUnion("op", [
  z.object({
    op: z.literal("list"),
    root: z.string(),
    path: z.string().default(""),
    depth: z.number().int().min(1).max(5).default(1),
  }),
  z.object({ op: z.literal("read"), root: z.string(), path: z.string() }),
  z.object({ op: z.literal("write"), root: z.string(), path: z.string(), content: z.string() }),
  z.object({ op: z.literal("remove"), root: z.string(), path: z.string() }),
]);
type FsRequest = z.infer<typeof request>;

/** The one JSON object that the `fs` command prints. `content` is base64. */
export type FsAnswer =
  | { readonly ok: true; readonly [key: string]: unknown }
  | { readonly ok: false; readonly code: string; readonly sentence: string };

/** Longest request in bytes: base64 of the largest file and a little. */
const MAX_REQUEST_BYTES = 36 * 1024 * 1024;

/** Answers one file operation, as whoever runs this process. Never throws. */
export async function answerFsRequest(text: string): Promise<FsAnswer> {
  const parsed = request.safeParse(parseJson(text));
  if (!parsed.success || !path.isAbsolute(parsed.data.root)) {
    return {
      ok: false,
      code: "bad_request",
      sentence: "The file request could not be understood.",
    };
  }
  try {
    return await perform(parsed.data);
  } catch (error) {
    if (isDomainError(error)) return { ok: false, code: error.code, sentence: error.message };
    return { ok: false, code: "internal", sentence: "The file operation failed." };
  }
}

/** Reads one request from stdin and prints one answer: `runtime.mjs fs`. */
export async function runFsCommand(
  input: AsyncIterable<Buffer>,
  output: (line: string) => void,
): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    if (size > MAX_REQUEST_BYTES) {
      const sentence = "The file is larger than 25 MB.";
      output(`${JSON.stringify({ ok: false, code: "payload_too_large", sentence })}\n`);
      return;
    }
    chunks.push(chunk);
  }
  const answer = await answerFsRequest(Buffer.concat(chunks).toString("utf8"));
  output(`${JSON.stringify(answer)}\n`);
}

async function perform(operation: FsRequest): Promise<FsAnswer> {
  const files = new SafeFiles(operation.root);
  switch (operation.op) {
    case "list":
      return { ok: true, ...(await files.list(operation.path, operation.depth)) };
    case "read": {
      const content = await files.read(operation.path);
      return { ok: true, content: content.toString("base64"), size: content.length };
    }
    case "write": {
      const content = Buffer.from(operation.content, "base64");
      await files.write(operation.path, content);
      return { ok: true, size: content.length };
    }
    case "remove":
      await files.remove(operation.path);
      return { ok: true };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
