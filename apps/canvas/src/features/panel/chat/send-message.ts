import { readProblem } from "../../../trpc/problem.ts";
import { type A2aReply, EMPTY_REPLY, reduceReply } from "./model/a2a-reply.ts";
import { readSseData } from "./model/sse.ts";
import type { LocalTurn } from "./model/turn.ts";

/** The part of a turn that sending it changes. */
export type TurnProgress = Pick<LocalTurn, "state" | "reply" | "error" | "next">;

export interface SendInput {
  readonly workspaceId: string;
  /** The platform answers one message id once, however often it is sent. */
  readonly messageId: string;
  readonly text: string;
  readonly signal: AbortSignal;
  /** Called with every step; the last one has a state that is neither `sending` nor `streaming`. */
  readonly onProgress: (progress: TurnProgress) => void;
}

/**
 * Sends a message of a person to an agent and follows the reply. Never throws: what went wrong is
 * in the last progress. Aborting ends the following, not the work. Source: wire contract §6.
 */
export async function sendMessage(fetchIt: typeof fetch, input: SendInput): Promise<void> {
  const report = (progress: Partial<TurnProgress> & Pick<TurnProgress, "state">) =>
    input.onProgress({ reply: EMPTY_REPLY, error: null, next: null, ...progress });
  let response: Response;
  try {
    response = await fetchIt(`/workspaces/${encodeURIComponent(input.workspaceId)}/a2a`, {
      method: "POST",
      credentials: "same-origin",
      headers: {
        "content-type": "application/json",
        accept: "text/event-stream, application/json",
      },
      body: JSON.stringify(envelopeOf(input)),
      signal: input.signal,
    });
  } catch {
    const problem = readProblem(null);
    report({ state: "failed", error: problem.sentence, next: problem.next ?? null });
    return;
  }
  await followAnswer(response, report);
}

function envelopeOf(input: SendInput) {
  return {
    jsonrpc: "2.0",
    id: input.messageId,
    method: "message/stream",
    params: {
      message: {
        kind: "message",
        role: "user",
        messageId: input.messageId,
        parts: [{ kind: "text", text: input.text }],
      },
    },
  };
}

type Report = (progress: Partial<TurnProgress> & Pick<TurnProgress, "state">) => void;

async function followAnswer(response: Response, report: Report): Promise<void> {
  const type = response.headers.get("content-type") ?? "";
  if (response.ok && response.body !== null && type.includes("text/event-stream")) {
    await followStream(response.body, report);
    return;
  }
  const body: unknown = await response.json().catch(() => null);
  // A sleeping agent's 503 says that it is being woken and that the message is kept for it.
  if (isQueued(body)) {
    report({ state: "queued" });
    return;
  }
  if (!response.ok) {
    const problem = readProblem(body);
    const sentence =
      problem.code === "network" ? errorText(body, response.status) : problem.sentence;
    report({ state: "failed", error: sentence, next: problem.next ?? null });
    return;
  }
  if (response.status === 202) {
    report({ state: "queued" });
    return;
  }
  const reply = reduceReply(EMPTY_REPLY, body);
  report({ state: reply.phase === "working" ? "waiting" : "done", reply });
}

async function followStream(body: ReadableStream<Uint8Array>, report: Report): Promise<void> {
  let reply: A2aReply = EMPTY_REPLY;
  report({ state: "streaming", reply });
  try {
    for await (const data of readSseData(body)) {
      const envelope = parseJson(data);
      if (isQueued(envelope)) {
        report({ state: "queued" });
        return;
      }
      reply = reduceReply(reply, envelope);
      report({ state: reply.phase === "working" ? "streaming" : "done", reply });
    }
  } catch {
    // The connection broke; the agent works on and history will have the answer.
  }
  report({ state: reply.phase === "working" ? "waiting" : "done", reply });
}

function isQueued(body: unknown): boolean {
  if (typeof body !== "object" || body === null) return false;
  const fields = body as Record<string, unknown>;
  return fields.queued === true || fields.status === "queued";
}

function errorText(body: unknown, status: number): string {
  if (typeof body === "object" && body !== null && "error" in body) {
    const { error } = body;
    if (typeof error === "string" && error !== "") return error;
  }
  return `The platform refused this message (status ${status}).`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
