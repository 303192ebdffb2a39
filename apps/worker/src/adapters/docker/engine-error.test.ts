import { describe, expect, it } from "vitest";
import { BackendError } from "../../provisioning/compute-backend.ts";
import { classify, hasStatus, toBackendError } from "./engine-error.ts";

const operation = { doing: "start the container", code: "create_failed" } as const;
const vendor = (fields: object) => Object.assign(new Error("secret vendor words"), fields);

describe("an engine's failure", () => {
  it.each([
    ["a socket that is not there", { code: "ENOENT" }, "engine_unavailable", true],
    ["a socket nobody listens on", { code: "ECONNREFUSED" }, "engine_unavailable", true],
    ["a connection cut in the middle", { code: "ECONNRESET" }, "engine_unavailable", true],
    ["a socket this user may not open", { code: "EACCES" }, "engine_unavailable", true],
    ["a refusal", { statusCode: 400 }, "create_failed", false],
    ["a conflict", { statusCode: 409 }, "create_failed", true],
    ["an error inside the engine", { statusCode: 500 }, "create_failed", true],
  ])("from %s is classified by its codes", async (_what, fields, code, isRetryable) => {
    const error = await toBackendError(vendor(fields), operation);
    expect(error.failure.code).toBe(code);
    expect(error.isRetryable).toBe(isRetryable);
    expect(error.failure.sentence).not.toContain("vendor");
    expect(error.failure.next).not.toBe("");
  });

  it("is not classified by its words", async () => {
    const error = await toBackendError(
      Object.assign(new Error("no such container: connection refused"), { statusCode: 500 }),
      operation,
    );
    expect(error.failure.code).toBe("create_failed");
  });

  it("says that access is missing, not that the engine is", async () => {
    const error = await toBackendError(vendor({ code: "EACCES" }), operation);
    expect(error.failure.sentence).toBe("The Docker engine runs, but this user may not use it.");
  });

  it("keeps the vendor's words as cause only", async () => {
    const error = await toBackendError(vendor({ statusCode: 500 }), operation);
    expect(String((error.cause as Error).message)).toContain("secret vendor words");
    expect(JSON.stringify(error.failure)).not.toContain("vendor");
  });

  it("is passed on when it was translated already", async () => {
    const known = await toBackendError(vendor({ statusCode: 500 }), operation);
    expect(await toBackendError(known, { doing: "x", code: "internal" })).toBe(known);
    expect(known).toBeInstanceOf(BackendError);
  });

  it("matches statuses only where the engine answered", () => {
    expect(hasStatus(classify("x", vendor({ statusCode: 404 })), 404, 409)).toBe(true);
    expect(hasStatus(classify("x", vendor({ statusCode: 500 })), 404)).toBe(false);
    expect(hasStatus(classify("x", vendor({ code: "ENOENT" })), 404)).toBe(false);
    expect(hasStatus(new Error("404"), 404)).toBe(false);
  });
});
