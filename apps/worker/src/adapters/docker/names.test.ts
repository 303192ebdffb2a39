import { describe, expect, it } from "vitest";
import {
  aliasOf,
  bridgeNameOf,
  containerNameOf,
  instanceLabels,
  keyFromLabels,
  LABEL_TASK,
  networkNameOf,
  volumeNameOf,
} from "./names.ts";

const PLATFORM = "0b1c2d3e-0000-4000-8000-000000000001";
const KEY = { workspaceId: "6f1f2a34-5b6c-4d7e-8f90-123456789abc", attemptNo: 12 };

describe("names on the engine", () => {
  it("name the container by workspace and attempt, the alias by workspace", () => {
    expect(containerNameOf(KEY)).toBe("ws-6f1f2a34-5b6-12");
    expect(aliasOf(KEY.workspaceId)).toBe("ws-6f1f2a34-5b6");
  });

  it("name volumes by the full id, so that two workspaces never share one", () => {
    expect(volumeNameOf(KEY.workspaceId, "configs")).toBe(
      "ws-6f1f2a34-5b6c-4d7e-8f90-123456789abc-configs",
    );
  });

  it("name one network per platform, with a device name the kernel accepts", () => {
    expect(networkNameOf(PLATFORM)).toBe("molecule-0b1c2d3e");
    expect(bridgeNameOf(PLATFORM).length).toBeLessThanOrEqual(15);
  });
});

describe("labels", () => {
  it("lead back to the attempt", () => {
    expect(keyFromLabels(PLATFORM, instanceLabels(PLATFORM, KEY))).toEqual(KEY);
  });

  it.each([
    ["another platform's", { ...instanceLabels("other", KEY) }],
    ["a helper's", { ...instanceLabels(PLATFORM, KEY), [LABEL_TASK]: "files" }],
    ["a nonsense attempt's", { ...instanceLabels(PLATFORM, KEY), "molecule.attempt": "x" }],
    ["an attempt zero's", { ...instanceLabels(PLATFORM, KEY), "molecule.attempt": "0" }],
    ["no", undefined],
  ])("of %s container lead nowhere", (_whose, labels) => {
    expect(keyFromLabels(PLATFORM, labels)).toBeNull();
  });
});
