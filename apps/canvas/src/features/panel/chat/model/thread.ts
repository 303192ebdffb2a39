import type { ChatMessage } from "@molecule/contracts/panel";
import { wasWanted } from "@molecule/domain/delivery";
import { replyText, type ToolCall } from "./a2a-reply.ts";
import type { LocalTurn } from "./turn.ts";

/** What one bubble of the chat shows. */
export interface ThreadItem {
  /** Stable while a local message becomes a stored one, so its element stays. */
  readonly key: string;
  readonly role: "person" | "agent";
  readonly author: string;
  readonly text: string;
  /** The server's time; null until the server has it. */
  readonly at: string | null;
  readonly state: "sent" | "sending" | "queued" | "working" | "failed" | "canceled";
  readonly error: string | null;
  readonly next: string | null;
  readonly tools: readonly ToolCall[];
  readonly attachments: ChatMessage["attachments"];
  /** What the agent says it is doing, while it works. */
  readonly note: string;
  /** Set on a message of ours that can be sent again. */
  readonly retryMessageId: string | null;
  /** Set on an answer that failed after the platform had the question. */
  readonly retryActivityId: string | null;
}

/** Every message once, oldest first; of two with one id the more final one stays. */
export function mergeMessages(...lists: readonly (readonly ChatMessage[])[]): ChatMessage[] {
  const byId = new Map<string, ChatMessage>();
  for (const message of lists.flat()) {
    const known = byId.get(message.id);
    if (known === undefined || finality(message) >= finality(known)) byId.set(message.id, message);
  }
  return [...byId.values()].sort(byPlace);
}

/**
 * The chat as one list: what the platform stored, with this tab's open turns laid over it. A turn
 * whose final answer is stored adds nothing, so a reply that came by stream and by event is shown
 * once. Turns that the platform does not have yet follow at the end in the order they were sent.
 */
export function threadItems(
  stored: readonly ChatMessage[],
  turns: readonly LocalTurn[],
  memberName: string,
): ThreadItem[] {
  const turnById = new Map(turns.map((turn) => [turn.messageId, turn]));
  const answers = new Map<string, ChatMessage>();
  const asked = new Set<string>();
  for (const message of stored) {
    if (message.role === "agent") answers.set(activityOf(message.id), message);
    else asked.add(activityOf(message.id));
  }
  const known = new Set(stored.map((message) => message.messageId));
  const kept = stored.flatMap((message) => {
    const activity = activityOf(message.id);
    if (message.role === "person") {
      const turn = turnById.get(message.messageId ?? activity);
      return exchangeItems(message, answers.get(activity), turn);
    }
    return asked.has(activity) ? [] : [storedItem(message, message.id)];
  });
  const own = turns
    .filter((turn) => !known.has(turn.messageId))
    .flatMap((turn) => [ownItem(turn, memberName), ...listOf(turnReply(turn))]);
  return [...kept, ...own];
}

function exchangeItems(
  question: ChatMessage,
  answer: ChatMessage | undefined,
  turn: LocalTurn | undefined,
): ThreadItem[] {
  const key = question.messageId ?? activityOf(question.id);
  // A failed turn is told once, by its answer.
  const shown: ChatMessage = answer === undefined ? question : { ...question, status: "ok" };
  return [storedItem(shown, key), ...listOf(answerItem(question, answer, turn))];
}

const listOf = (item: ThreadItem | null) => (item === null ? [] : [item]);

/** Turns that history has taken over: their question and a final answer are stored. */
export function settledTurnIds(
  stored: readonly ChatMessage[],
  turns: readonly LocalTurn[],
): string[] {
  return turns
    .filter((turn) => {
      const question = stored.find(
        (message) => message.role === "person" && message.messageId === turn.messageId,
      );
      if (question === undefined) return false;
      // A failed send that the platform did get: history says how it goes on.
      if (turn.state === "failed" || turn.state === "queued") return true;
      const answer = stored.find((message) => message.id === answerOf(question.id));
      return (answer !== undefined && isFinal(answer)) || question.status === "error";
    })
    .map((turn) => turn.messageId);
}

/** The activity row a message was rebuilt from. */
function activityOf(messageId: string): string {
  return messageId.replace(/:[qa]$/, "");
}

function answerItem(
  question: ChatMessage,
  answer: ChatMessage | undefined,
  turn: LocalTurn | undefined,
): ThreadItem | null {
  const key = `${question.messageId ?? activityOf(question.id)}:a`;
  if (answer !== undefined && isFinal(answer)) return storedItem(answer, key);
  const live = turn === undefined ? null : turnReply(turn);
  if (live !== null && (live.text !== "" || live.tools.length > 0 || answer === undefined)) {
    return live;
  }
  if (answer !== undefined) return storedItem(answer, key);
  return question.status === "pending" ? { ...BLANK, key, role: "agent", state: "working" } : null;
}

function storedItem(message: ChatMessage, key: string): ThreadItem {
  const isStopped =
    message.status === "error" && message.error !== null && wasWanted(message.error);
  const hasFailed = message.status === "error" && !isStopped;
  return {
    ...BLANK,
    key,
    role: message.role,
    author: message.author,
    text: message.text,
    at: message.at,
    state: isStopped ? "canceled" : storedState(message),
    note: isStopped ? (message.error ?? "") : "",
    error: hasFailed ? failureText(message.error) : null,
    tools: message.tools,
    attachments: message.attachments,
    retryActivityId: hasFailed ? activityOf(message.id) : null,
  };
}

function failureText(error: string | null): string {
  return error === null ? "This failed without a reason." : error.replace(/^Agent error:\s*/, "");
}

function storedState(message: ChatMessage): ThreadItem["state"] {
  switch (message.status) {
    case "ok":
      return "sent";
    case "error":
      return "failed";
    case "pending":
      return message.role === "agent" ? "working" : "sent";
    case "queued":
      return "queued";
  }
}

function ownItem(turn: LocalTurn, author: string): ThreadItem {
  const isFailed = turn.state === "failed" && turn.reply.phase === "working";
  const state = isFailed
    ? "failed"
    : turn.state === "sending" || turn.state === "queued"
      ? turn.state
      : "sent";
  return {
    ...BLANK,
    key: turn.messageId,
    role: "person",
    author,
    text: turn.text,
    state,
    error: isFailed ? turn.error : null,
    next: isFailed ? turn.next : null,
    retryMessageId: isFailed ? turn.messageId : null,
  };
}

function turnReply(turn: LocalTurn): ThreadItem | null {
  const key = `${turn.messageId}:a`;
  const text = replyText(turn.reply);
  const base: ThreadItem = {
    ...BLANK,
    key,
    role: "agent",
    text,
    tools: turn.reply.tools,
    note: turn.reply.note,
  };
  switch (turn.reply.phase) {
    case "done":
      return { ...base, state: "sent" };
    case "canceled":
      return { ...base, state: "canceled" };
    case "failed":
      return { ...base, state: "failed", error: turn.reply.error };
    case "working":
      return turn.state === "queued" || turn.state === "failed"
        ? null
        : { ...base, state: "working" };
  }
}

const BLANK: ThreadItem = {
  key: "",
  role: "person",
  author: "",
  text: "",
  at: null,
  state: "sent",
  error: null,
  next: null,
  tools: [],
  attachments: [],
  note: "",
  retryMessageId: null,
  retryActivityId: null,
};

const answerOf = (questionId: string) => `${activityOf(questionId)}:a`;
const isFinal = (message: ChatMessage) => message.status === "ok" || message.status === "error";

function finality(message: ChatMessage): number {
  if (isFinal(message)) return 2;
  return message.status === "pending" ? 1 : 0;
}

function byPlace(a: ChatMessage, b: ChatMessage): number {
  if (a.seq !== b.seq) return a.seq - b.seq;
  if (a.role === b.role) return a.id < b.id ? -1 : 1;
  return a.role === "person" ? -1 : 1;
}
