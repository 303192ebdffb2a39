import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

let server: Server;
let base: string;

/** Somebody else's server, which knows how it is and nothing else. */
beforeAll(async () => {
  server = createServer((req, res) => {
    const isHealth = req.url === "/health";
    res.writeHead(isHealth ? 200 : 404, { "content-type": "application/json" });
    res.end(JSON.stringify(isHealth ? { status: "ok" } : {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function run(...args: string[]): Promise<{ code: unknown; output: string }> {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", path.resolve(import.meta.dirname, "conformance.ts"), ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += String(chunk);
    });
  }
  const [code] = await once(child, "close");
  return { code, output };
}

it("lists failures first, says what was sent and wanted, and ends with 1", async () => {
  const { code, output } = await run("--base", base, "--token", "t", "--only", "§17:65", "--all");
  expect(code).toBe(1);
  const lines = output.split("\n");
  expect(lines[0]).toMatch(/^FAILED {2}§17:/);
  expect(output).toMatch(/FAILED {2}§17:654 {4}buildinfo\n {2}sends {4}GET \/buildinfo without/);
  expect(output).toMatch(/ {2}problem {2}GET \/buildinfo answered 404, not 200/);
  const passed = lines.findIndex((line) => /^passed {2}§17:653 {4}health$/.test(line));
  const lastFailure = lines.findLastIndex((line) => line.startsWith("FAILED"));
  expect(passed).toBeGreaterThan(lastFailure);
  expect(lines.at(-2)).toMatch(/^\d+ cases: 1 passed, \d+ failed, \d+ open$/);
});

it("ends with 0 when nothing fails", async () => {
  const { code, output } = await run("--base", `${base}/`, "--token", "t", "--only", "§17:653");
  expect(output).toContain("1 cases: 1 passed, 0 failed, 0 open");
  expect(code).toBe(0);
});

it("says how it is called", async () => {
  const { code, output } = await run();
  expect(code).toBe(2);
  expect(output).toContain("npm run conformance -- --base URL --token T");
});
