import { describe, expect, it } from "vitest";
import { isForTenant, type TenantRequest } from "./tenant-guard.ts";

const NOTHING: TenantRequest = {
  path: "/workspaces",
  orgId: null,
  replaySource: null,
  host: "acme.example",
  origin: null,
  referer: null,
};
const passes = (request: Partial<TenantRequest>, servesCanvas = false) =>
  isForTenant({ orgId: "acme", servesCanvas }, { ...NOTHING, ...request });

describe("the tenant guard", () => {
  it("is off without an organisation", () => {
    expect(isForTenant({ orgId: null, servesCanvas: false }, NOTHING)).toBe(true);
  });

  it.each(["/health", "/metrics", "/buildinfo", "/registry/register", "/registry/heartbeat"])(
    "lets %s pass",
    (path) => expect(passes({ path })).toBe(true),
  );

  it.each(["/cp/", "/cp/auth/me"])("lets %s pass", (path) => expect(passes({ path })).toBe(true));

  it.each([
    "/",
    "/workspaces",
    "/health/",
    "/health/x",
    "/HEALTH",
    "//health",
    "/metrics/",
    "/cp",
    "/cpx/a",
    "/registry",
    "/registry/register/",
    "/registry/registerx",
    "/registry/update-card",
    "/registry/discover/x",
    "/ws",
    "/trpc",
  ])("hides %s", (path) => expect(passes({ path })).toBe(false));

  it.each([
    ["acme", true],
    ["Acme", false],
    ["acme ", false],
    ["other", false],
    ["", false],
  ])("takes the header %j: %s", (orgId, expected) => {
    expect(passes({ orgId })).toBe(expected);
  });

  it.each([
    ["instance=1;region=ams;t=5;state=acme", true],
    ["state=acme", true],
    ["instance=1; state=acme", true],
    ["state=acme2", false],
    ["state=", false],
    ["xstate=acme", false],
    ["acme", false],
  ])("takes Fly-Replay-Src %j: %s", (replaySource, expected) => {
    expect(passes({ replaySource })).toBe(expected);
  });

  it.each([
    [{ origin: "https://acme.example" }, true],
    [{ origin: "http://acme.example" }, true],
    [{ referer: "https://acme.example/" }, true],
    [{ referer: "https://acme.example/map?x=1" }, true],
    [{ referer: "https://acme.example" }, true],
    [{ referer: "https://acme.example.evil/" }, false],
    [{ origin: "https://evil.example" }, false],
    [{ origin: "ftp://acme.example" }, false],
    [{ origin: "https://acme.example", host: "other.example" }, false],
    [{ origin: "https://", host: "" }, false],
  ])("takes %j from a page of its own only where it serves one: %s", (request, expected) => {
    expect(passes(request, true)).toBe(expected);
    expect(passes(request, false)).toBe(false);
  });
});
