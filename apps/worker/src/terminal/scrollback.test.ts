import { describe, expect, it } from "vitest";
import { Scrollback } from "./scrollback.ts";

const text = (kept: Scrollback) => kept.read(kept.start, 1e9).toString();

describe("what a terminal keeps of its output", () => {
  it("is everything while it is short, in parts of whichever length", () => {
    const kept = new Scrollback(100);
    for (const part of ["one ", "", "two ", "three"]) kept.append(Buffer.from(part));
    expect(text(kept)).toBe("one two three");
    expect([kept.start, kept.end]).toEqual([0, 13]);
    expect(kept.read(4, 3).toString()).toBe("two");
    expect(kept.read(13, 10)).toHaveLength(0);
  });

  it("is the newest bytes when more was printed, whatever the parts were", () => {
    let whole = "";
    const kept = new Scrollback(1000);
    for (let n = 0; n < 400; n += 1) {
      const part = `${n}`.repeat((n * 7) % 23);
      whole += part;
      kept.append(Buffer.from(part));
      expect(text(kept)).toBe(whole.slice(-1000));
      expect(kept.end).toBe(whole.length);
    }
  });

  it("is the end of one part that alone is longer, counted as if all had been kept", () => {
    const kept = new Scrollback(10);
    kept.append(Buffer.from("abc"));
    kept.append(Buffer.from("0123456789ABCDEF"));
    expect(text(kept)).toBe("6789ABCDEF");
    expect([kept.start, kept.end]).toEqual([9, 19]);
  });

  it("grows to its limit and keeps its order while it grows", () => {
    const kept = new Scrollback(1_048_576);
    const part = Buffer.alloc(50_000, "x");
    for (let n = 0; n < 40; n += 1) {
      part.write(`${n};`.padStart(8, "0"));
      kept.append(part);
    }
    expect(kept.end - kept.start).toBe(1_048_576);
    expect(kept.read(39 * 50_000, 8).toString()).toBe("0000039;");
    expect(kept.read(kept.start, 1).toString()).toBe("x");
  });

  it("begins with a whole line once something was dropped", () => {
    const kept = new Scrollback(10);
    kept.append(Buffer.from("first"));
    expect(kept.firstLine()).toBe(0);
    kept.append(Buffer.from(" line\nsecond"));
    expect(kept.read(kept.firstLine(), 100).toString()).toBe("second");
  });
});
