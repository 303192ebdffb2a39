import { expect, test } from "vitest";
import { newTurn } from "../chat/model/turn.ts";
import { createPanelStore, FRESH_MEMORY, type TextStorage } from "./panel-state.ts";

function memoryStorage(): TextStorage & { readonly items: Map<string, string> } {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

test("a reload brings back the composer, the drafts and what was not sent", () => {
  const storage = memoryStorage();
  const store = createPanelStore(storage);
  store.getState().update("w", (memory) => ({
    ...memory,
    composer: "half a sentence",
    turns: [newTurn("m1", "lost in the post")],
    draft: { ...memory.draft, config: { base: { model: "a" }, mine: { model: "b" } } },
  }));
  store.flush();
  const after = createPanelStore(storage).load("w");
  expect(after).toMatchObject({
    composer: "half a sentence",
    turns: [{ messageId: "m1", state: "failed" }],
    draft: { config: { mine: { model: "b" } } },
  });
});

test("a typed secret never reaches storage", () => {
  const storage = memoryStorage();
  const store = createPanelStore(storage);
  store.getState().update("w", (memory) => ({
    ...memory,
    composer: "x",
    draft: { ...memory.draft, secrets: { OPENAI_API_KEY: "sk-live" } },
  }));
  store.flush();
  expect([...storage.items.values()].join()).not.toContain("sk-live");
});

test("a workspace with nothing to remember leaves nothing behind", () => {
  const storage = memoryStorage();
  const store = createPanelStore(storage);
  store.getState().update("w", (memory) => ({ ...memory, composer: "x" }));
  store.flush();
  store.getState().update("w", (memory) => ({ ...memory, composer: "" }));
  store.flush();
  expect(storage.items.size).toBe(0);
});

test("storage that holds something else, or throws, reads as fresh", () => {
  const storage = memoryStorage();
  storage.setItem("molecule.panel.w", "{broken");
  expect(createPanelStore(storage).load("w")).toBe(FRESH_MEMORY);
  const closed: TextStorage = {
    getItem: () => {
      throw new Error("denied");
    },
    setItem: () => {
      throw new Error("full");
    },
    removeItem: () => {},
  };
  const store = createPanelStore(closed);
  store.getState().update("w", (memory) => ({ ...memory, composer: "kept on screen" }));
  store.flush();
  expect(store.getState().byWorkspace.w?.composer).toBe("kept on screen");
});
