import { describe, expect, it } from "vitest";
import { isDevMode, isLoopbackHost } from "./dev-mode.ts";

const DEV = {
  environment: "development",
  hasAdminToken: false,
  hasLauncher: false,
  host: "127.0.0.1",
};

describe("dev mode", () => {
  it.each(["development", "dev", "DEV", "Development"])("is on with %s", (environment) => {
    expect(isDevMode({ ...DEV, environment })).toBe(true);
  });

  it.each([
    ["another environment", { environment: "production" }],
    ["a longer word", { environment: "developer" }],
    ["no environment", { environment: undefined }],
    ["an admin token", { hasAdminToken: true }],
    ["the launcher", { hasLauncher: true }],
    ["every address", { host: "0.0.0.0" }],
    ["every address of IPv6", { host: "::" }],
    ["an address of the network", { host: "192.168.1.5" }],
  ])("is off with %s", (_name, change) => {
    expect(isDevMode({ ...DEV, ...change })).toBe(false);
  });
});

describe("a loopback host", () => {
  it.each([
    ["localhost", true],
    ["localhost:8080", true],
    ["127.0.0.1", true],
    ["127.9.9.9:80", true],
    ["::1", true],
    ["[::1]:8080", true],
    ["::ffff:127.0.0.1", true],
    ["0.0.0.0", false],
    ["10.0.0.1", false],
    ["127.0.0.1.evil.example", false],
    ["localhost.evil.example", false],
    ["evil.example", false],
    ["", false],
  ])("%j: %s", (host, expected) => expect(isLoopbackHost(host)).toBe(expected));
});
