import { describe, expect, it } from "vitest";
import { type EngineImage, HELD_REPOSITORY, heldTag, imageVerdict } from "./engine-images.ts";

const SETTINGS = { prefix: "molecule", graceMs: 1_000 };
const MADE = "molecule/runtime-demo:0.1.0-0123456789ab";
const image = (over: Partial<EngineImage> = {}): EngineImage => ({
  names: [MADE],
  digests: [],
  isOwn: true,
  isUsed: false,
  ...over,
});
const digest = (repository: string) => `${repository}@sha256:${"a".repeat(64)}`;

describe("I: images that pile up on an engine", () => {
  it.each([
    ["a container of anybody's is made from", { isUsed: true }],
    ["another platform made", { isOwn: false }],
    ["has a published name", { names: ["molecule/runtime-demo:0.1.0"] }],
    ["a person has given a name", { names: [MADE, "mine/copy:1"] }],
    ["a platform holds", { names: [MADE, `${HELD_REPOSITORY}:${heldTag("p", "demo")}`] }],
    ["is made under another prefix", { names: ["acme/runtime-demo:0.1.0-0123456789ab"] }],
    ["is a base", { names: ["molecule/runtime-base:0.1.0-0123456789ab"] }],
    ["has no name and came from elsewhere", { names: [], digests: [digest("acme/runtime-demo")] }],
    [
      "has no name and came from two registries",
      { names: [], digests: [digest("molecule/runtime-demo"), digest("acme/x")] },
    ],
    ["has neither name nor origin", { names: [], digests: [] }],
  ])("I20 keeps what %s", (_what, over) => {
    expect(imageVerdict(image(over), 10_000, SETTINGS)).toBe("keep");
  });

  it.each([
    ["was made here and is held by nobody", {}],
    [
      "was pulled and has lost its tag to a newer one",
      { names: [], digests: [digest("molecule/runtime-demo")], isOwn: false },
    ],
  ])("I21 removes what %s, and only after the grace", (_what, over) => {
    expect(imageVerdict(image(over), null, SETTINGS)).toBe("wait");
    expect(imageVerdict(image(over), 999, SETTINGS)).toBe("wait");
    expect(imageVerdict(image(over), 1_000, SETTINGS)).toBe("remove");
  });
});
