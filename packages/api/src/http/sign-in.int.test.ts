import { MAX_WRONG_SIGN_INS } from "@molecule/domain/sessions";
import { describe, expect, it } from "vitest";
import { createTestApi, TEST_HOST, type TestApi } from "../api.fixture.ts";
import { startApi } from "../start-api.ts";

const FORM = { "content-type": "application/x-www-form-urlencoded" };

function send(t: TestApi, token: string, headers: Record<string, string> = {}) {
  const body = new URLSearchParams({ token }).toString();
  return t.call("POST", "/sign-in", { body, headers: { ...FORM, ...headers }, token: null });
}

describe("signing in", () => {
  it("shows a page without using the link up, then opens one session and goes to the canvas", async () => {
    await using t = await createTestApi();
    const link = await t.signInLink();
    const page = await t.call("GET", `/sign-in?token=${link}`, { token: null });
    expect(page.status).toBe(200);
    expect(await page.text()).toContain(`value="${link}"`);
    const done = await send(t, link);
    expect(done.status).toBe(303);
    expect(done.headers.get("location")).toBe("/");
    const [cookie = ""] = done.headers.getSetCookie();
    expect(cookie).toMatch(/^molecule_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax/);
    expect(cookie).not.toContain(link);
    const me = await t.call("GET", "/trpc/session.me", {
      token: null,
      headers: { cookie: cookie.split(";")[0] ?? "" },
    });
    expect(await me.json()).toMatchObject({ result: { data: { member: { role: "owner" } } } });
  });

  it("gives one session to two browsers that use one link at the same moment", async () => {
    await using t = await createTestApi();
    const link = await t.signInLink();
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(t, link)));
    expect(answers.filter((answer) => answer.status === 303)).toHaveLength(1);
    const [row] = await t.test.sql`SELECT count(*)::int AS n FROM sessions`;
    expect(row?.n).toBe(1);
  });

  it("refuses a link after fifteen minutes and stores neither link nor session in plain text", async () => {
    await using t = await createTestApi();
    const [late, used] = [await t.signInLink(), await t.signInLink()];
    const cookie = (await send(t, used)).headers.getSetCookie()[0]?.split(/[=;]/)[1] ?? "none";
    await t.test.setSkewMs(15 * 60_000 + 1000);
    expect((await send(t, late)).status).toBe(401);
    const dump = JSON.stringify([
      await t.test.sql`SELECT encode(token_sha256, 'escape') FROM sessions`,
      await t.test.sql`SELECT encode(token_sha256, 'escape') FROM sign_in_links`,
    ]);
    expect(dump).not.toContain(cookie);
    expect(dump).not.toContain(used);
  });

  it("refuses the sixth wrong attempt within fifteen minutes, and only from that address", async () => {
    await using t = await createTestApi();
    for (let n = 0; n < MAX_WRONG_SIGN_INS; n += 1)
      expect((await send(t, "wrong")).status).toBe(401);
    const refused = await send(t, await t.signInLink());
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const other = { body: "token=wrong", headers: FORM, token: null, ip: "192.0.2.9" };
    expect((await t.call("POST", "/sign-in", other)).status).toBe(401);
    await t.test.setSkewMs(15 * 60_000);
    expect((await send(t, await t.signInLink())).status).toBe(303);
  });

  it("counts wrong attempts on all servers together, and right ones not at all", async () => {
    await using t = await createTestApi();
    const second = await startApi(t.deps, async () => null);
    const servers = [t.api, second];
    const tries = async (tokens: readonly string[]) =>
      await Promise.all(
        tokens.map(async (token, at) => {
          const response = await servers[at % 2]?.answer(
            new Request(`http://${TEST_HOST}/sign-in`, {
              method: "POST",
              headers: { host: TEST_HOST, ...FORM },
              body: new URLSearchParams({ token }).toString(),
            }),
            { ip: "192.0.2.1" },
          );
          return response?.status;
        }),
      );
    const links = await Promise.all(Array.from({ length: 4 }, () => t.signInLink()));
    expect(await tries(links)).toEqual([303, 303, 303, 303]);
    const statuses = await tries(Array.from({ length: 20 }, () => "wrong"));
    expect(statuses.filter((status) => status === 401)).toHaveLength(MAX_WRONG_SIGN_INS);
    expect(statuses.filter((status) => status === 429)).toHaveLength(20 - MAX_WRONG_SIGN_INS);
    await second.stop();
  });

  it("protects the cookie with __Host- where the browser has shown that it keeps such cookies", async () => {
    await using t = await createTestApi();
    const link = await t.signInLink();
    const page = await t.call("GET", "/sign-in?token=x", {
      token: null,
      headers: { host: "127.0.0.1:8080" },
    });
    const probe = page.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const done = await send(t, link, { host: "127.0.0.1:8080", cookie: probe });
    expect(done.headers.getSetCookie()[0]).toMatch(
      /^__Host-molecule_session=[^;]+; Secure; Path=\//,
    );
  });

  it("ends the session on every process with sign-out, and by idleness", async () => {
    await using t = await createTestApi();
    const page = await t.signIn();
    const me = () => t.call("GET", "/trpc/session.me", { token: null, headers: page });
    expect((await me()).status).toBe(200);
    const out = await t.call("POST", "/sign-out", { token: null, headers: page });
    expect(out.status).toBe(200);
    expect((await me()).status).toBe(401);
    const idle = await t.signIn();
    await t.test.setSkewMs(8 * 24 * 3600_000);
    const late = await t.call("GET", "/trpc/session.me", { token: null, headers: idle });
    expect(late.status).toBe(401);
  });

  it("refuses what a cookie authenticates when it does not come from a page of ours", async () => {
    await using t = await createTestApi();
    const { cookie = "" } = await t.signIn();
    const body = { x: 1, y: 2, zoom: 1 };
    const cases: [Record<string, string>, number][] = [
      [{ cookie }, 403],
      [{ cookie, origin: "http://evil.test" }, 403],
      [{ cookie, origin: "null" }, 403],
      [{ cookie, origin: `http://${TEST_HOST}`, "sec-fetch-site": "cross-site" }, 403],
      [{ cookie, origin: `http://${TEST_HOST}`, "sec-fetch-site": "same-site" }, 403],
      [{ cookie, origin: `http://${TEST_HOST}`, "content-type": "text/plain" }, 415],
      [{ cookie, origin: `http://${TEST_HOST}` }, 200],
    ];
    for (const [headers, status] of cases) {
      const plain = await t.call("PUT", "/canvas/viewport", { body, headers, token: null });
      expect([JSON.stringify(headers), plain.status]).toEqual([JSON.stringify(headers), status]);
      const trpc = await t.call("POST", "/trpc/layout.setViewport", { body, headers, token: null });
      expect([JSON.stringify(headers), trpc.status]).toEqual([JSON.stringify(headers), status]);
    }
  });

  it("lets a viewer look and refuses every change", async () => {
    await using t = await createTestApi();
    const page = await t.signIn("viewer");
    const id = await t.createWorkspace();
    const call = { token: null, headers: page };
    expect((await t.call("GET", "/trpc/canvas.snapshot", call)).status).toBe(200);
    expect((await t.call("GET", "/workspaces", call)).status).toBe(200);
    expect((await t.call("DELETE", `/workspaces/${id}`, call)).status).toBe(403);
    const body = { id, clickId: "12345678" };
    expect((await t.call("POST", "/trpc/workspaces.restart", { ...call, body })).status).toBe(403);
  });
});
