import { readFile } from "node:fs/promises";
import path from "node:path";
import type { AgentAdapter, AgentEvent } from "@molecule/runtime-sdk/agent-adapter";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** One adapter under test, with messages that make its agent do what the suite needs. */
export interface AdapterSubject {
  readonly adapter: AgentAdapter;
  readonly workspaceDir: string;
  /** A message that is answered with some text at once. */
  readonly quick: string;
  /** A message that is answered with text over at least two seconds. */
  readonly slow: string;
  /** A message that makes the agent write `content` and a newline into `file` of its workspace. */
  readonly write: (file: string, content: string) => string;
  readonly dispose: () => Promise<void>;
}

/** What every adapter promises, run against each of them. */
export function agentAdapterContract(name: string, make: () => Promise<AdapterSubject>): void {
  describe(`the adapter ${name}`, () => {
    let subject: AdapterSubject;
    const never = new AbortController().signal;
    const prompt = (text: string, contextId: string, signal = never) =>
      subject.adapter.prompt(contextId, [{ kind: "text", text }], signal);

    beforeAll(async () => {
      subject = await make();
      await subject.adapter.start();
    });
    afterAll(async () => {
      await subject.adapter.stop();
      await subject.dispose();
    });

    it("ends a turn with exactly one done, which comes last", async () => {
      const events = await collect(prompt(subject.quick, "one"));
      expect(events.filter(({ kind }) => kind === "done")).toHaveLength(1);
      expect(events.at(-1)).toMatchObject({ kind: "done", outcome: "completed" });
      expect(textOf(events)).not.toBe("");
    });

    it("reports a tool from running to done when it writes a file", async () => {
      const events = await collect(prompt(subject.write("contract.md", "kept"), "two"));
      const tools = events.flatMap((event) => (event.kind === "tool" ? [event] : []));
      expect(tools[0]?.state).toBe("running");
      expect(tools.at(-1)).toMatchObject({ id: tools[0]?.id, state: "done" });
      const file = path.join(subject.workspaceDir, "contract.md");
      expect(await readFile(file, "utf8")).toBe("kept\n");
    });

    it("ends a turn as cancelled when it is aborted, and takes the next one", async () => {
      const controller = new AbortController();
      const events: AgentEvent[] = [];
      for await (const event of prompt(subject.slow, "three", controller.signal)) {
        events.push(event);
        if (event.kind === "text") controller.abort();
      }
      expect(events.at(-1)).toMatchObject({ kind: "done", outcome: "cancelled" });
      const next = await collect(prompt(subject.quick, "three"));
      expect(next.at(-1)).toMatchObject({ outcome: "completed" });
    });

    it("does not start a turn whose signal is aborted already", async () => {
      const events = await collect(
        prompt(subject.write("never.md", "x"), "four", AbortSignal.abort()),
      );
      expect(events).toMatchObject([{ kind: "done", outcome: "cancelled" }]);
      await expect(readFile(path.join(subject.workspaceDir, "never.md"))).rejects.toThrow("ENOENT");
    });

    it("runs turns of different contexts side by side", async () => {
      const controller = new AbortController();
      const slow = collect(prompt(subject.slow, "five", controller.signal));
      const quick = await collect(prompt(subject.quick, "six"));
      expect(quick.at(-1)).toMatchObject({ outcome: "completed" });
      controller.abort();
      expect((await slow).at(-1)).toMatchObject({ outcome: "cancelled" });
    });

    it("ends the turns under way when it is stopped", async () => {
      const events: AgentEvent[] = [];
      for await (const event of prompt(subject.slow, "seven")) {
        events.push(event);
        if (event.kind === "text") void subject.adapter.stop();
      }
      expect(events.at(-1)).toMatchObject({ kind: "done" });
      expect(events.at(-1)).not.toMatchObject({ outcome: "completed" });
    });
  });
}

async function collect(events: AsyncIterable<AgentEvent>): Promise<AgentEvent[]> {
  const all: AgentEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

function textOf(events: readonly AgentEvent[]): string {
  return events.map((event) => (event.kind === "text" ? event.text : "")).join("");
}
