import { describe, expect, it } from "vitest";
import { COMMANDS } from "./commands.ts";
import { isPress, type KeyPress, mayAct } from "./shortcut-match.ts";

function press(key: string, more: Partial<KeyPress> = {}): KeyPress {
  return { key, code: "", ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more };
}

describe("a key press", () => {
  it("is a letter only without modifiers", () => {
    expect(isPress(press("c"), "C")).toBe(true);
    expect(isPress(press("c", { ctrlKey: true }), "C")).toBe(false);
    expect(isPress(press("C", { shiftKey: true }), "C")).toBe(false);
  });

  it("is a character that needs Shift on some keyboards", () => {
    expect(isPress(press("?", { shiftKey: true }), "?")).toBe(true);
  });

  it("is a chord with Ctrl or Cmd", () => {
    expect(isPress(press("k", { metaKey: true }), "Mod+K")).toBe(true);
    expect(isPress(press("k", { ctrlKey: true }), "Mod+K")).toBe(true);
    expect(isPress(press("k"), "Mod+K")).toBe(false);
  });

  it("knows Shift with a digit whatever character that gives", () => {
    expect(isPress(press("!", { shiftKey: true, code: "Digit1" }), "Shift+1")).toBe(true);
  });
});

describe("a shortcut", () => {
  it("never acts in a text field or a dialog unless it is a chord", () => {
    for (const { keys } of COMMANDS) {
      if (keys === null) continue;
      expect(mayAct(keys, "text")).toBe(keys.startsWith("Mod+"));
      expect(mayAct(keys, "layer")).toBe(keys.startsWith("Mod+"));
    }
  });

  it("never takes Enter, Space or Tab from a control", () => {
    for (const { keys } of COMMANDS) {
      const isNative = keys === "Enter" || keys === "Space" || keys === "Tab";
      if (isNative) expect(mayAct(keys, "control")).toBe(false);
    }
  });

  it("belongs to one command only", () => {
    const keys = COMMANDS.flatMap((command) => (command.keys === null ? [] : [command.keys]));
    expect(new Set(keys).size).toBe(keys.length);
  });
});
