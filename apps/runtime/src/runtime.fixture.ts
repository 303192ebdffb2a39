import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Dismissal } from "@molecule/runtime-sdk/presence";
import type { ServedAgent } from "@molecule/runtime-sdk/serve-agent";
import { FakePlatform } from "@molecule/testing/fake-platform";
import { readEnv } from "./env.ts";
import { jsonLog } from "./log.ts";
import { startRuntime } from "./serve.ts";

/** A result of `message/send` or of one event of `message/stream`, as far as tests read it. */
export interface CallResult {
  readonly kind?: string;
  readonly id?: string;
  readonly taskId?: string;
  readonly contextId?: string;
  readonly final?: boolean;
  readonly status?: { state: string; message?: { parts: { text: string }[] } };
  readonly artifacts?: { parts: { kind: string; text: string }[] }[];
  readonly artifact?: { parts: { text: string }[] };
  readonly metadata?: Record<string, unknown>;
}

/** A whole runtime in this process, against the fake platform, in a folder of its own. */
export interface RuntimeFixture extends AsyncDisposable {
  readonly platform: FakePlatform;
  readonly runtime: ServedAgent;
  readonly url: string;
  readonly configDir: string;
  readonly workspaceDir: string;
  readonly homeDir: string;
  readonly logLines: readonly string[];
  readonly dismissals: readonly Dismissal[];
  /** One JSON-RPC call with the inbound secret. */
  readonly call: (method: string, params: unknown) => Promise<CallResult>;
  /** Sends a text and waits for the finished task. */
  readonly say: (text: string, contextId?: string) => Promise<CallResult>;
  /** Streams a text; answers every event in order. */
  readonly stream: (text: string, contextId?: string) => AsyncGenerator<CallResult>;
}

/** What a test may set. */
export interface FixtureOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly configYaml?: string;
  readonly instructions?: string;
  /** What the operator tells. */
  readonly told?: string;
  /** Continue in the folder of an earlier fixture. */
  readonly folder?: string;
}

/** Starts platform and runtime; both are gone and the folder is removed after disposal. */
export async function startFixture(options: FixtureOptions = {}): Promise<RuntimeFixture> {
  const platform = await FakePlatform.start();
  platform.instructions = options.told ?? "";
  const folder = options.folder ?? (await mkdtemp(path.join(tmpdir(), "molecule-runtime-")));
  const [configDir, workspaceDir, homeDir] = ["configs", "workspace", "home"].map((name) =>
    path.join(folder, name),
  ) as [string, string, string];
  for (const each of [configDir, workspaceDir, homeDir]) await mkdir(each, { recursive: true });
  await writeFile(path.join(configDir, ".auth_token"), platform.token, { mode: 0o600 });
  await writeFile(path.join(configDir, ".platform_inbound_secret"), platform.inboundSecret);
  await writeFile(path.join(configDir, "config.yaml"), options.configYaml ?? "name: Ann\n");
  await writeFile(path.join(configDir, "system-prompt.md"), options.instructions ?? "");
  const logLines: string[] = [];
  const dismissals: Dismissal[] = [];
  const env = readEnv({
    PATH: `${path.dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    WORKSPACE_ID: "11111111-1111-4111-8111-111111111111",
    PLATFORM_URL: platform.url,
    WORKSPACE_CONFIG_PATH: configDir,
    WORKSPACE_DIR_PATH: workspaceDir,
    HOME: homeDir,
    HOST_BIND: "127.0.0.1",
    PORT: "0",
    MOLECULE_ATTEMPT: "7",
    ...options.env,
  });
  const log = jsonLog((line) => void logLines.push(line), env.all);
  const runtime = await startRuntime(env, log, (why) => void dismissals.push(why)).catch(
    async (error: unknown) => {
      await platform.stop();
      throw error;
    },
  );
  const url = `http://127.0.0.1:${runtime.port}`;
  const post = (method: string, params: unknown) =>
    fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${platform.inboundSecret}`,
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: "1", method, params }),
    });
  const call = async (method: string, params: unknown) => {
    const body = (await (await post(method, params)).json()) as Record<string, unknown>;
    if (body.result === undefined) throw new Error(`${method}: ${JSON.stringify(body)}`);
    return body.result as CallResult;
  };
  return {
    platform,
    runtime,
    url,
    configDir,
    workspaceDir,
    homeDir,
    logLines,
    dismissals,
    call,
    say: (text, contextId) => call("message/send", messageOf(text, contextId)),
    stream: async function* (text, contextId) {
      const answer = await post("message/stream", messageOf(text, contextId));
      const decoder = new TextDecoder();
      let buffer = "";
      for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
        buffer += decoder.decode(chunk, { stream: true });
        const events = buffer.split("\n\n");
        buffer = events.pop() ?? "";
        for (const event of events) {
          const data = /^data: (.*)$/m.exec(event)?.[1];
          if (data !== undefined) yield (JSON.parse(data) as { result: CallResult }).result;
        }
      }
    },
    [Symbol.asyncDispose]: async () => {
      await runtime.stop();
      await platform.stop();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The whole text of a finished task. */
export function answerText(result: CallResult): string {
  const parts = result.artifacts?.flatMap((artifact) => artifact.parts) ?? [];
  return parts.map((part) => part.text).join("");
}

/** The sentence of a failed or cancelled task. */
export function statusText(result: CallResult): string {
  return result.status?.message?.parts.map((part) => part.text).join("") ?? "";
}

function messageOf(text: string, contextId: string | undefined) {
  return {
    message: {
      kind: "message",
      role: "user",
      messageId: crypto.randomUUID(),
      ...(contextId === undefined ? {} : { contextId }),
      parts: [{ kind: "text", text }],
    },
  };
}
