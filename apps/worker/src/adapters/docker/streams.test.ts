import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readAll, splitOutput } from "./streams.ts";

function frame(kind: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

describe("the engine's multiplexed output", () => {
  it("is split into its streams and kept in order", () => {
    const raw = Buffer.concat([frame(1, "a"), frame(2, "warn"), frame(1, "b")]);
    const { stdout, stderr, merged } = splitOutput(raw);
    expect([stdout, stderr, merged].map(String)).toEqual(["ab", "warn", "awarnb"]);
  });

  it("keeps what an incomplete last frame has", () => {
    const raw = Buffer.concat([frame(1, "whole"), frame(1, "partial").subarray(0, 12)]);
    expect(splitOutput(raw).stdout.toString()).toBe("wholepart");
    expect(splitOutput(Buffer.from([1, 0, 0])).stdout.length).toBe(0);
  });

  it("is not read beyond its bound", async () => {
    await expect(readAll(Readable.from([Buffer.alloc(10)]), 5)).rejects.toThrow("more than 5");
  });
});
