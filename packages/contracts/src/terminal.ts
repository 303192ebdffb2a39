import { z } from "zod";

const side = z.number().int().min(1).max(10_000);

/** `TerminalOrder` of `terminal-protocol.ts`, as it comes from a viewer. */
export const terminalOrder = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("resize"), cols: side, rows: side }),
  z.object({ kind: z.literal("close") }),
]);

/** What the server asks a worker's socket at `/v1/terminal?ask=<json>` for; the whole path is signed. */
export const terminalAsk = z.object({
  workspaceId: z.string(),
  /** The attempt that the permission is for; null: whichever runs. */
  attemptNo: z.number().int().nullable(),
  /** A living terminal; null opens one. */
  session: z.string().max(128).nullable(),
  cols: side,
  rows: side,
  /** Who looks, as the activity names them. */
  actor: z.object({
    kind: z.enum(["member", "workspace", "admin"]),
    id: z.string().optional(),
    name: z.string(),
  }),
});
export type TerminalAsk = z.infer<typeof terminalAsk>;

/** Where a worker's terminals are. */
export const WORKER_TERMINAL_PATH = "/v1/terminal";

/** One living terminal. */
export const terminalView = z.object({
  session: z.string(),
  /** Who opened it. */
  openedBy: z.string(),
  openedAt: z.string(),
  viewers: z.number().int(),
  attemptNo: z.number().int(),
});
export type TerminalView = z.infer<typeof terminalView>;

/** One stage of the wire contract's `terminal/diagnose` (§15). */
export const terminalDiagnoseStep = z.object({
  name: z.string(),
  ok: z.boolean(),
  duration_ms: z.number().int(),
  error: z.string().optional(),
  detail: z.string().optional(),
});
export type TerminalDiagnoseStep = z.infer<typeof terminalDiagnoseStep>;

/** Results of the procedures. */
export const terminalTicket = z.object({ ticket: z.string() });
export const terminalList = z.object({ terminals: z.array(terminalView) });
