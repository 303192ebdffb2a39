import { describe, expect, test } from "vitest";
import { createReader } from "./supervise.mjs";

function listen() {
  const said: string[] = [];
  const logged: string[] = [];
  const ready: unknown[] = [];
  const output = {
    name: "worker",
    say: (line: string) => said.push(line),
    log: (line: string) => logged.push(line),
  };
  const reader = createReader(output, (line) => ready.push(line));
  return { reader, said, logged, ready };
}

describe("what a program prints", () => {
  test("is logged whole, and shown when it is a warning", () => {
    const { reader, said, logged } = listen();
    reader.hear('{"level":30,"msg":"started"}');
    reader.hear('{"level":40,"msg":"no engine answers"}');
    expect(logged).toHaveLength(2);
    expect(said).toEqual(["worker: no engine answers"]);
  });

  test("is shown at most five times in a while, with where to find the rest", () => {
    const { reader, said } = listen();
    for (let i = 0; i < 50; i += 1) reader.hear(`{"level":50,"msg":"failure ${i}"}`);
    expect(said).toHaveLength(6);
    expect(said.at(-1)).toContain("logs/worker.log");
  });

  test("makes it ready", () => {
    const { reader, ready } = listen();
    reader.hear('{"ready":true,"backend":"docker"}');
    expect(ready).toEqual([{ ready: true, backend: "docker" }]);
  });

  test("explains its end: a fatal line, else the first line of an error", () => {
    const { reader } = listen();
    reader.hear("node:internal/process/esm_loader:97");
    reader.hear("Error: Cannot find package");
    reader.hear("    at file.js:1:1");
    expect(reader.lastWords()).toBe("Error: Cannot find package");
    reader.hear('{"fatal":true,"error":"The key is not a key.","next":"Correct it."}');
    expect(reader.fatal()).toMatchObject({ message: "The key is not a key.", next: "Correct it." });
  });
});
