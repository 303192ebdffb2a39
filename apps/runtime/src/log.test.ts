import { describe, expect, it } from "vitest";
import { jsonLog } from "./log.ts";

describe("the log", () => {
  const write = (env: Record<string, string>, act: (log: ReturnType<typeof jsonLog>) => void) => {
    let out = "";
    act(
      jsonLog((line) => {
        out += line;
      }, env),
    );
    return out;
  };

  it("writes one JSON line per event, whatever the text holds", () => {
    const out = write({}, (log) => log.info('a\n"b"\r', { n: 1 }));
    expect(out.trimEnd().split("\n")).toHaveLength(1);
    expect(JSON.parse(out)).toMatchObject({ level: "info", msg: 'a\n"b"\r', n: 1 });
  });

  it("hides secrets of the environment, named ones, and what looks like one", () => {
    const out = write({ MY_API_KEY: "value-of-my-key" }, (log) => {
      log.hide("named-secret");
      log.warn(`value-of-my-key named-secret Bearer abcdefgh12345 sk-ant-${"a".repeat(20)}`);
      log.error("x", { error: new Error("value-of-my-key"), authToken: "short" });
    });
    for (const secret of ["value-of-my-key", "named-secret", "abcdefgh12345", "sk-ant", "short"]) {
      expect(out).not.toContain(secret);
    }
  });
});
