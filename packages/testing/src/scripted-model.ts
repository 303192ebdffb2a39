import { randomUUID } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

/**
 * A scripted stand-in for the Anthropic Messages API on loopback. It is no model: it obeys the last
 * directive in the newest user message and says so when there is none.
 *
 * `@say TEXT` answers it; `@tool NAME {json}` uses a tool, then reports its result; `@slow N` streams N
 * ticks, one each 100 ms; `@hang` never answers; `@err STATUS` fails so; `@hist` lists the
 * conversation it was sent; `@system` answers the system prompt.
 */
export interface ScriptedModel {
  /** For `ANTHROPIC_BASE_URL`. */
  readonly url: string;
  /** Requests for messages so far, oldest first; side requests for titles are among them. */
  readonly requests: readonly ScriptedRequest[];
  readonly stop: () => Promise<void>;
}

/** What one request for a message carried. */
export interface ScriptedRequest {
  readonly model: string;
  readonly toolNames: readonly string[];
  readonly systemPrompt: string;
  /** Texts of all messages, of both sides. */
  readonly conversation: string;
  /** Which header the key came in. */
  readonly keyHeader: "x-api-key" | "authorization" | "none";
  readonly directive: string;
}

/** Settings of {@link startScriptedModel}. */
export interface ScriptedModelOptions {
  /** Default: any free port. */
  readonly port?: number;
}

const block = z
  .object({ type: z.string(), text: z.string().optional(), content: z.unknown().optional() })
  .loose();
const content = z.union([z.string(), z.array(block)]);
const messagesRequest = z.object({
  model: z.string().default(""),
  stream: z.boolean().default(false),
  max_tokens: z.number().default(0),
  system: content.optional(),
  tools: z.array(z.object({ name: z.string() }).loose()).default([]),
  messages: z.array(z.object({ role: z.string(), content })).default([]),
});
type MessagesRequest = z.infer<typeof messagesRequest>;

type Act =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tool"; readonly name: string; readonly input: string }
  | { readonly kind: "slow"; readonly ticks: number }
  | { readonly kind: "error"; readonly status: number }
  | { readonly kind: "hang" };

const DIRECTIVE = /(?:^|\n)@(?:say|tool|slow|err|hang|hist|system)\b[^\n]*/g;
const NO_DIRECTIVE =
  "This is a scripted model, not a real one. It only obeys directives such as @say hello.";
const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};

/** Starts the endpoint on loopback. */
export async function startScriptedModel(
  options: ScriptedModelOptions = {},
): Promise<ScriptedModel> {
  const requests: ScriptedRequest[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const path = (req.url ?? "").split("?")[0] ?? "";
      if (req.method === "HEAD" || path === "/api/hello") return void res.writeHead(200).end();
      if (path.endsWith("/count_tokens")) return void sendJson(res, 200, { input_tokens: 10 });
      if (path !== "/v1/messages") return void sendError(res, 404);
      const request = parseRequest(Buffer.concat(chunks).toString("utf8"));
      if (request === undefined) return void sendError(res, 400);
      const directive = lastDirective(request);
      requests.push(recordOf(request, req.headers, directive));
      void perform(res, request, chooseAct(request, directive)).catch(() => res.destroy());
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", () => resolve());
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function parseRequest(text: string): MessagesRequest | undefined {
  return messagesRequest.safeParse(parseJson(text)).data;
}

function recordOf(
  request: MessagesRequest,
  headers: IncomingHttpHeaders,
  directive: string,
): ScriptedRequest {
  const hasKey = headers["x-api-key"] !== undefined;
  const hasBearer = headers.authorization !== undefined;
  return {
    model: request.model,
    toolNames: request.tools.map(({ name }) => name),
    systemPrompt: textOf(request.system),
    conversation: request.messages.map((message) => textOf(message.content)).join("\n"),
    keyHeader: hasKey ? "x-api-key" : hasBearer ? "authorization" : "none",
    directive,
  };
}

function chooseAct(request: MessagesRequest, directive: string): Act {
  const results = toolResults(request);
  if (results !== undefined) return { kind: "text", text: `The tool answered: ${results}` };
  const error = /^@err (\d+)/.exec(directive);
  if (request.tools.length === 0 && error === null && request.max_tokens < 1000) {
    return { kind: "text", text: '{"title":"scripted"}' };
  }
  if (error !== null) return { kind: "error", status: Number(error[1]) };
  const tool = /^@tool (\S+) (\{.*\})/.exec(directive);
  if (tool !== null && request.tools.length > 0) {
    return { kind: "tool", name: tool[1] ?? "", input: tool[2] ?? "{}" };
  }
  const slow = /^@slow (\d+)/.exec(directive);
  if (slow !== null) return { kind: "slow", ticks: Number(slow[1]) };
  if (directive.startsWith("@hang")) return { kind: "hang" };
  if (directive.startsWith("@system")) return { kind: "text", text: textOf(request.system) };
  if (directive.startsWith("@hist")) return { kind: "text", text: history(request) };
  const say = /^@say ([^\n]*)/.exec(directive);
  return { kind: "text", text: say?.[1] ?? NO_DIRECTIVE };
}

async function perform(res: ServerResponse, request: MessagesRequest, act: Act): Promise<void> {
  if (act.kind === "hang") return;
  if (act.kind === "error") return sendError(res, act.status);
  const id = `msg_${randomUUID()}`;
  const usage = { input_tokens: 100, output_tokens: 20 };
  const stopReason = act.kind === "tool" ? "tool_use" : "end_turn";
  const message = { id, type: "message", role: "assistant", model: request.model, usage };
  if (!request.stream) {
    const text = act.kind === "text" ? act.text : "scripted";
    const only =
      act.kind === "tool"
        ? { type: "tool_use", id: `toolu_${id}`, name: act.name, input: parseJson(act.input) }
        : { type: "text", text };
    sendJson(res, 200, { ...message, content: [only], stop_reason: stopReason });
    return;
  }
  res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  const send = (type: string, data: Record<string, unknown>) =>
    res.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  send("message_start", { message: { ...message, content: [], stop_reason: null } });
  await sendBlock(res, send, act, id);
  send("content_block_stop", { index: 0 });
  send("message_delta", { delta: { stop_reason: stopReason, stop_sequence: null }, usage });
  send("message_stop", {});
  res.end();
}

async function sendBlock(
  res: ServerResponse,
  send: (type: string, data: Record<string, unknown>) => void,
  act: Exclude<Act, { kind: "hang" | "error" }>,
  id: string,
): Promise<void> {
  const delta = (value: Record<string, unknown>) =>
    send("content_block_delta", { index: 0, delta: value });
  if (act.kind === "tool") {
    const use = { type: "tool_use", id: `toolu_${id}`, name: act.name, input: {} };
    send("content_block_start", { index: 0, content_block: use });
    delta({ type: "input_json_delta", partial_json: act.input });
    return;
  }
  send("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
  if (act.kind === "slow") {
    for (let tick = 1; tick <= act.ticks && !res.destroyed; tick += 1) {
      delta({ type: "text_delta", text: `tick${tick} ` });
      await delay(100);
    }
    return;
  }
  for (const word of act.text.match(/\s*\S+|\s+$/g) ?? [""]) {
    delta({ type: "text_delta", text: word });
  }
}

/** Failed turns stay in the conversation and merge into the next message: only the last one counts. */
function lastDirective(request: MessagesRequest): string {
  const last = request.messages.findLast(({ role }) => role === "user");
  return [...textOf(last?.content).matchAll(DIRECTIVE)].at(-1)?.[0].trim() ?? "";
}

function toolResults(request: MessagesRequest): string | undefined {
  const last = request.messages.findLast(({ role }) => role === "user");
  if (last === undefined || typeof last.content === "string") return undefined;
  const results = last.content.filter(({ type }) => type === "tool_result");
  if (results.length === 0) return undefined;
  return results.map((result) => textOf(result.content)).join(" | ");
}

function history(request: MessagesRequest): string {
  return request.messages
    .map(({ role, content: said }) => {
      const text = textOf(said).replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, "");
      return `${role}: ${text.trim().slice(0, 200)}`;
    })
    .join(" / ");
}

function textOf(value: unknown): string {
  const parsed = content.safeParse(value);
  if (!parsed.success) return "";
  if (typeof parsed.data === "string") return parsed.data;
  return parsed.data.map((each) => each.text ?? "").join("\n");
}

function sendError(res: ServerResponse, status: number): void {
  const type = ERROR_TYPES[status] ?? "api_error";
  sendJson(res, status, { type: "error", error: { type, message: `scripted ${type}` } });
}

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
