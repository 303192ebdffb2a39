import type { ProviderView } from "@molecule/contracts/workspaces";
import { expect, test } from "vitest";
import { pairOf, withProvider } from "./pair.ts";

const model = (id: string, ...keys: string[][]) => ({ id, name: id, keys });
const OFFER: readonly ProviderView[] = [
  {
    provider: "anthropic",
    isInferred: false,
    keys: [["ANTHROPIC_API_KEY"]],
    models: [model("opus", ["ANTHROPIC_API_KEY"]), model("shared", ["ANTHROPIC_API_KEY"])],
  },
  {
    provider: "minimax",
    isInferred: false,
    keys: [["MINIMAX_API_KEY", "TOKEN"]],
    models: [model("m2", ["MINIMAX_API_KEY", "TOKEN"]), model("shared", ["TOKEN"])],
  },
];

test("a provider that nobody stated follows from the model, and says so", () => {
  expect(pairOf(OFFER, { provider: null, model: "m2" })).toMatchObject({
    provider: "minimax",
    isInferred: true,
    isListed: true,
    needs: [["MINIMAX_API_KEY", "TOKEN"]],
  });
});

test("what is stated is shown, whether it is offered or not", () => {
  expect(pairOf(OFFER, { provider: "minimax", model: "shared" })).toMatchObject({
    provider: "minimax",
    isInferred: false,
    needs: [["TOKEN"]],
  });
  expect(pairOf(OFFER, { provider: "elsewhere", model: "opus" })).toMatchObject({
    provider: "elsewhere",
    isUnlistedProvider: true,
    models: [],
    isListed: false,
    needs: [],
  });
  expect(pairOf(OFFER, { provider: "anthropic", model: "opus-9" })).toMatchObject({
    isListed: false,
    needs: [["ANTHROPIC_API_KEY"]],
  });
});

test("without any provider all models are offered, and there is none to choose", () => {
  const bare = [{ provider: null, isInferred: false, keys: [], models: [model("demo-1")] }];
  expect(pairOf(bare, { provider: null, model: null })).toMatchObject({
    providers: [],
    provider: "",
    models: [{ id: "demo-1" }],
    isListed: true,
  });
  expect(pairOf([], { provider: null, model: "x" })).toMatchObject({ models: [], isListed: false });
});

test("another provider brings its first model, and keeps one that it has too", () => {
  const opus = { provider: null, model: "opus" };
  expect(withProvider(OFFER, opus, "minimax")).toEqual({ provider: "minimax", model: "m2" });
  const shared = { provider: "anthropic", model: "shared" };
  expect(withProvider(OFFER, shared, "minimax")).toEqual({ provider: "minimax", model: "shared" });
  expect(withProvider(OFFER, shared, "")).toEqual({ provider: null, model: null });
});
