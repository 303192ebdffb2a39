import { describe, expect, it } from "vitest";
import { serializeError } from "./error-record.ts";

describe("a logged error", () => {
  it("shows neither statements nor their parameters, also as a cause", () => {
    const cause = Object.assign(new Error("duplicate key"), { code: "23505" });
    const error = Object.assign(new Error("Failed query: insert … params: hunter2"), {
      query: "insert into secrets values ($1)",
      params: ["hunter2"],
      cause,
    });
    const text = JSON.stringify(serializeError(new Error("outer", { cause: error })));
    expect(text).toContain("duplicate key");
    expect(text).toContain("23505");
    expect(text).not.toMatch(/hunter2|insert into/);
  });

  it("shows no token, key or password that stands in a message", () => {
    const error = new Error(
      `wst_${"a".repeat(43)} Bearer abc.def postgres://user:hunter2@host/db sk-ant-1234567890`,
    );
    const text = JSON.stringify(serializeError(error));
    expect(text).not.toMatch(/aaaa|abc\.def|hunter2|1234567890/);
  });
});
