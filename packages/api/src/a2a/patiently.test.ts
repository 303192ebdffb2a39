import { describe, expect, it } from "vitest";
import { patiently } from "./patiently.ts";

const lost = () => Object.assign(new Error("connection refused"), { code: "ECONNREFUSED" });

describe("waiting for the database", () => {
  it("gives the result of the first try that reaches it", async () => {
    let tries = 0;
    const work = async () => {
      tries += 1;
      if (tries < 3) throw lost();
      return "stored";
    };
    expect(await patiently(new AbortController().signal, work)).toBe("stored");
    expect(tries).toBe(3);
  });

  it("does not repeat what failed for another reason", async () => {
    let tries = 0;
    const work = async () => {
      tries += 1;
      throw new Error("invariant");
    };
    await expect(patiently(new AbortController().signal, work)).rejects.toThrow("invariant");
    expect(tries).toBe(1);
  });

  it("ends when the process does", async () => {
    const stop = new AbortController();
    const waiting = patiently(stop.signal, async () => {
      stop.abort();
      throw lost();
    });
    await expect(waiting).rejects.toThrow("refused");
  });
});
