import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStaticFiles, inlineScriptHashes } from "./static-files.ts";

const SCRIPT = "window.x = 1;";
let folder: string;
let serve: (req: Request) => Promise<Response | null>;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "static-"));
  const dir = path.join(folder, "out");
  await mkdir(path.join(dir, "_next/static/chunks"), { recursive: true });
  await writeFile(
    path.join(dir, "index.html"),
    `<html><script>${SCRIPT}</script><script src="/a.js"></script></html>`,
  );
  await writeFile(path.join(dir, "_next/static/chunks/app-1a2b.js"), "export {};");
  await writeFile(path.join(dir, "icon.svg"), "<svg/>");
  await writeFile(path.join(folder, "secret.txt"), "secret");
  await symlink(path.join(folder, "secret.txt"), path.join(dir, "link.txt"));
  serve = createStaticFiles(dir);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function get(target: string, headers: Record<string, string> = {}, method = "GET") {
  return serve(new Request(`http://x${target}`, { headers, method }));
}

describe("the static canvas", () => {
  it("serves hashed files as immutable and others to be asked for again", async () => {
    const hashed = await get("/_next/static/chunks/app-1a2b.js");
    expect(hashed?.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(hashed?.headers.get("content-type")).toContain("text/javascript");
    expect(await hashed?.text()).toBe("export {};");
    const icon = await get("/icon.svg");
    expect(icon?.headers.get("cache-control")).toBe("no-cache");
    await icon?.body?.cancel();
    const etag = icon?.headers.get("etag") ?? "";
    expect((await get("/icon.svg", { "if-none-match": etag }))?.status).toBe(304);
    expect((await get("/icon.svg", {}, "HEAD"))?.headers.get("content-length")).toBe("6");
  });

  it("answers every unknown address that asks for HTML with the page, and others not at all", async () => {
    for (const target of ["/", "/w/abc/chat", "/new?template=x", "/settings/secrets"]) {
      const page = await get(target, { accept: "text/html,*/*" });
      expect(await page?.text()).toContain("window.x");
    }
    expect(await get("/nothing.js")).toBeNull();
    expect(await get("/_next/static/old.js", { accept: "text/html" })).toBeNull();
    expect(await get("/w/abc", { accept: "text/html" }, "POST")).toBeNull();
  });

  it("allows exactly the scripts that the build put into the page", async () => {
    const page = await get("/", { accept: "text/html" });
    const hash = createHash("sha256").update(SCRIPT).digest("base64");
    expect(page?.headers.get("content-security-policy")).toContain(
      `script-src 'self' 'sha256-${hash}';`,
    );
    expect(inlineScriptHashes("<script src=x></script>")).toEqual([]);
  });

  it("never leaves its folder", async () => {
    const targets = [
      "/../secret.txt",
      "/..%2fsecret.txt",
      "/%2e%2e/secret.txt",
      "/%2e%2e%2fsecret.txt",
      "/..%5csecret.txt",
      "/link.txt",
      "/_next/../../secret.txt",
      "/_next/..%2f..%2f..%2fsecret.txt",
      "/%00",
      "/index.html%00.js",
      `/${"a".repeat(5000)}`,
      "/%",
    ];
    for (const target of targets) {
      const response = await get(target);
      expect([target, (await response?.text()) ?? null]).toEqual([target, null]);
    }
  });

  it("says so when the canvas is not built", async () => {
    const missing = createStaticFiles(path.join(folder, "nowhere"));
    const page = await missing(new Request("http://x/", { headers: { accept: "text/html" } }));
    expect(page?.status).toBe(503);
    expect(await page?.text()).toContain("not built");
  });
});
