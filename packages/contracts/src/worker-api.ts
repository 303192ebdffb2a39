import { FILE_ROOTS } from "@molecule/domain/sets";
import { z } from "zod";
import { terminalDiagnoseStep, terminalView } from "./terminal.ts";

/**
 * The worker's private API: JSON over loopback HTTP, one POST per operation at `/v1/<operation>`,
 * authenticated by `X-Molecule-Signature: <unix seconds>.<hex hmac>` where the HMAC-SHA256 is over
 * "<seconds>\n<path>\n<body>" with the key file's content; 30 s of skew are allowed.
 * An error answer is `{error, code, next?, details?}` with a `DomainError` code.
 */
export const WORKER_SIGNATURE_HEADER = "x-molecule-signature";

const target = z.object({ workspaceId: z.string(), root: z.enum(FILE_ROOTS) });

export const workerOperations = {
  "files.list": {
    input: target.extend({ path: z.string(), depth: z.number().int().min(1).max(5) }),
    output: z.object({
      entries: z.array(z.object({ path: z.string(), size: z.number(), dir: z.boolean() })),
      /** The listing stopped at its limit. */
      truncated: z.boolean(),
    }),
  },
  "files.read": {
    input: target.extend({ path: z.string() }),
    /** `content` is base64. */
    output: z.object({ content: z.string(), size: z.number() }),
  },
  "files.write": {
    input: target.extend({ path: z.string(), content: z.string() }),
    output: z.object({ size: z.number() }),
  },
  "files.delete": {
    input: target.extend({ path: z.string() }),
    output: z.object({}),
  },
  "logs.tail": {
    input: z.object({ workspaceId: z.string(), lines: z.number().int().min(1).max(2000) }),
    output: z.object({ lines: z.array(z.string()) }),
  },
  "console.read": {
    input: z.object({ workspaceId: z.string() }),
    output: z.object({ output: z.string() }),
  },
  /** The terminals of this worker alone. */
  "terminal.list": {
    input: z.object({ workspaceId: z.string() }),
    output: z.object({ terminals: z.array(terminalView) }),
  },
  "terminal.diagnose": {
    input: z.object({ workspaceId: z.string() }),
    output: z.object({
      remote: z.boolean(),
      instanceId: z.string().nullable(),
      steps: z.array(terminalDiagnoseStep),
    }),
  },
} as const;

export type WorkerOperation = keyof typeof workerOperations;
export type WorkerInput<K extends WorkerOperation> = z.infer<(typeof workerOperations)[K]["input"]>;
export type WorkerOutput<K extends WorkerOperation> = z.infer<
  (typeof workerOperations)[K]["output"]
>;
