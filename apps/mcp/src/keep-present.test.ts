import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { credentialFiles } from "@molecule/runtime-sdk/credential-files";
import { platformClient } from "@molecule/runtime-sdk/platform-client";
import { FakePlatform } from "@molecule/testing/fake-platform";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepPresent } from "./keep-present.ts";
import { Standing } from "./standing.ts";

describe("the presence of an agent outside the platform", () => {
  let platform: FakePlatform;
  let folder: string;
  let stopping: AbortController;
  let told: string[];
  beforeEach(async () => {
    platform = await FakePlatform.start();
    folder = await mkdtemp(path.join(tmpdir(), "molecule-present-"));
    stopping = new AbortController();
    told = [];
  });
  afterEach(async () => {
    stopping.abort();
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const start = () => {
    const client = platformClient({
      platformUrl: platform.url,
      workspaceId: "w",
      credentials: credentialFiles({ folder, fixedToken: platform.token }),
    });
    const standing = new Standing({
      client,
      platformUrl: platform.url,
      tokenFrom: { variable: "MOLECULE_WORKSPACE_TOKEN" },
    });
    return keepPresent({
      client,
      standing,
      tell: (sentence) => void told.push(sentence),
      signal: stopping.signal,
      registration: { url: "", agentCard: { name: "Ann" }, deliveryMode: "poll" },
      beatEveryMs: 5,
    });
  };

  it("goes on when beats are refused, and tells it once, from the third on", async () => {
    let refusals = 0;
    platform.onLifeSign = (route) => {
      if (route === "register" || refusals >= 3) return undefined;
      refusals += 0.5; // the client asks twice before it believes a 401
      return { status: 401, body: { error: "no" } };
    };
    const ended = start();
    await waitUntil("it beats again", () => platform.beats.length > 0);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain("does not accept the token");
    stopping.abort();
    expect(await ended).toBe("stopped");
    expect(platform.beats[0]).toMatchObject({ error_rate: 0, active_tasks: 0, current_task: "" });
  });

  it.each([
    [401, "refused"],
    [403, "refused"],
    [409, "superseded"],
    [410, "removed"],
  ])("ends when register is answered with %i", async (status, absence) => {
    platform.onLifeSign = () => ({ status, body: { error: "no" } });
    expect(await start()).toBe(absence);
  });

  it("tries again when the platform is not there yet", async () => {
    let failures = 2;
    platform.onLifeSign = () =>
      failures-- > 0 ? { status: 503, body: { error: "not yet" } } : undefined;
    void start();
    await waitUntil("it beats", () => platform.beats.length > 0);
    expect(told).toEqual([]);
  });
});
