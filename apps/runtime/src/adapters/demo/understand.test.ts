import { describe, expect, it } from "vitest";
import { type DemoRequest, understand } from "./understand.ts";

const cases: readonly (readonly [string, DemoRequest])[] = [
  ["help", { kind: "help" }],
  ["Hello!", { kind: "help" }],
  ["What can you do?", { kind: "help" }],
  ["list files", { kind: "list", folder: "" }],
  ["Please list the files in your workspace", { kind: "list", folder: "" }],
  ["Show me all files in src/", { kind: "list", folder: "src" }],
  ["what files are there?", { kind: "list", folder: "" }],
  ["ls", { kind: "list", folder: "" }],
  ["read notes.md", { kind: "read", file: "notes.md" }],
  ["Could you please open the file `a b.md`?", { kind: "read", file: "a b.md" }],
  ["write notes.md: hello\nworld", { kind: "write", file: "notes.md", content: "hello\nworld" }],
  [
    'create a file called "todo.txt" with "milk"',
    { kind: "write", file: "todo.txt", content: "milk" },
  ],
  ["create notes.md with hello", { kind: "write", file: "notes.md", content: "hello" }],
  ["create a new file empty.md", { kind: "write", file: "empty.md", content: "" }],
  ["who are you", { kind: "who" }],
  ["Which model are you running with?", { kind: "settings" }],
  ["what are your instructions", { kind: "settings" }],
  ["settings", { kind: "settings" }],
  ["Who are my peers?", { kind: "peers" }],
  ["delegate to Bob: sing", { kind: "delegate", peer: "Bob", task: "sing" }],
  [
    "Delegate to Research Lead: list files",
    { kind: "delegate", peer: "Research Lead", task: "list files" },
  ],
  ["ask Bob to list files", { kind: "delegate", peer: "Bob", task: "list files" }],
  ['ask "Lead to be" to sing', { kind: "delegate", peer: "Lead to be", task: "sing" }],
  ["Tell Bob: who are you?", { kind: "delegate", peer: "Bob", task: "who are you?" }],
  ["tell me: lunch", { kind: "notify", message: "lunch" }],
  ["notify: the build is green", { kind: "notify", message: "the build is green" }],
  ["count slowly to 20", { kind: "count", to: 20 }],
  ["count to 999999", { kind: "count", to: 1000 }],
  ["what is love?", { kind: "unknown", text: "what is love?" }],
  ["", { kind: "unknown", text: "" }],
];

describe("understand", () => {
  it.each(cases)("takes %j as it is meant", (text, expected) => {
    expect(understand(text)).toEqual(expected);
  });

  it("ends on hostile text of 100 000 characters", () => {
    expect(understand(`write ${"a ".repeat(50_000)}`).kind).toBe("unknown");
    expect(understand(`list ${"files in ".repeat(10_000)}`).kind).toBe("list");
  });
});
