import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { verifyDeploy } from "./verify-deploy.mjs";

const SHA = "0123456789abcdef0123456789abcdef01234567";
const open: Server[] = [];

/** A deployment that answers `/buildinfo` so. */
async function deployment(status: number, body: string): Promise<string> {
  const server = createServer((req, res) => {
    res.writeHead(req.url === "/buildinfo" ? status : 404, { location: "/elsewhere" });
    res.end(body);
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe("verifying a deployment", () => {
  it.each([SHA, SHA.slice(0, 7), SHA.toUpperCase()])("finds %s current", async (wanted) => {
    const url = await deployment(200, JSON.stringify({ git_sha: SHA }));
    expect(await verifyDeploy(url, wanted)).toEqual({
      code: 0,
      sentence: `Current: ${url} runs ${SHA}.`,
    });
    expect((await verifyDeploy(`${url}/`, wanted)).code).toBe(0);
  });

  it("finds a deployment that knows the short form current", async () => {
    const url = await deployment(200, JSON.stringify({ git_sha: SHA.slice(0, 8) }));
    expect((await verifyDeploy(url, SHA)).code).toBe(0);
  });

  it.each([
    ["another commit", "fedcba9876543210", /^Stale: .* runs the commit fedcba9876543210, not 0123/],
    ["a build that was not told", "dev", /^Stale: .* runs a build that was not told its GIT_SHA/],
    ["too short a commit", "01", /^Stale:/],
  ])("finds %s stale", async (_name, running, sentence) => {
    const url = await deployment(200, JSON.stringify({ git_sha: running }));
    const verdict = await verifyDeploy(url, SHA);
    expect(verdict).toEqual({ code: 1, sentence: expect.stringMatching(sentence) });
  });

  it.each([
    ["an error", 503, "{}", /answered 503/],
    ["nobody there (tenant guard)", 404, "", /answered 404/],
    ["a redirect", 302, "", /answered 302/],
    ["a page", 200, "<html>", /something else/],
    ["another program's JSON", 200, '{"ok":true}', /something else/],
  ])("tells %s apart as unreachable", async (_name, status, body, sentence) => {
    const url = await deployment(status, body);
    const verdict = await verifyDeploy(url, SHA);
    expect(verdict).toEqual({ code: 3, sentence: expect.stringMatching(sentence) });
    expect(verdict.sentence).toMatch(/^Unreachable: /);
  });

  it("tells a closed port apart as unreachable", async () => {
    const url = await deployment(200, "");
    const [server] = open.splice(0);
    await new Promise((resolve) => server?.close(resolve));
    expect(await verifyDeploy(url, SHA)).toEqual({
      code: 3,
      sentence: `Unreachable: ${url} does not answer (ECONNREFUSED).`,
    });
  });

  it.each([
    [undefined, undefined],
    ["nonsense", SHA],
    ["http://127.0.0.1", "not-a-sha"],
    ["http://127.0.0.1", "0123"],
    ["http://127.0.0.1", undefined],
  ])("refuses the call %s %s", async (url, sha) => {
    expect((await verifyDeploy(url, sha)).code).toBe(2);
  });
});
