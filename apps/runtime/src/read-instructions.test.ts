import { NoAnswerError } from "@molecule/runtime-sdk/http-json";
import { expect, it } from "vitest";
import { readInstructions } from "./read-instructions.ts";

async function read(call: () => Promise<{ status: number; body: unknown }>) {
  const warnings: string[] = [];
  const paths: string[] = [];
  const client = {
    workspaceId: "an id",
    call: async ({ path }: { path: string }) => {
      paths.push(path);
      return { ...(await call()), retryAfterSeconds: undefined };
    },
  };
  const text = await readInstructions(client, { warn: (line: string) => void warnings.push(line) });
  expect(paths).toEqual(["/workspaces/an%20id/instructions/resolve"]);
  return { text, warnings: warnings.length };
}

it("IN2 what the operator tells is read when an agent starts", async () => {
  const body = { workspace_id: "x", instructions: "Be brief." };
  expect(await read(async () => ({ status: 200, body }))).toEqual({
    text: "Be brief.",
    warnings: 0,
  });
});

it.each([
  ["has no such route", async () => ({ status: 404, body: { error: "no" } })],
  ["answers something else", async () => ({ status: 200, body: undefined })],
  ["does not answer", () => Promise.reject(new NoAnswerError("deadline", "late"))],
])("IN2 an agent starts without it, and says so, when the platform %s", async (_name, call) => {
  expect(await read(call)).toEqual({ text: "", warnings: 1 });
});
