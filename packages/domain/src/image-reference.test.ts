import { describe, expect, it } from "vitest";
import { isMovingReference, splitReference } from "./image-reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("I: image references", () => {
  it.each([
    `registry.example/runtime-demo@${DIGEST}`,
    `registry.example/runtime-demo:latest@${DIGEST}`,
    `localhost:5000/runtime-demo@${DIGEST}`,
  ])("I1 %s has a digest and is pinned, whatever its tag is", (reference) => {
    expect(isMovingReference(reference)).toBe(false);
  });

  it.each([
    "runtime-demo",
    "registry.example/runtime-demo",
    "localhost:5000/runtime-demo",
    "localhost:5000/acme/runtime-demo",
    "runtime-demo:",
    "localhost:5000/runtime-demo:latest",
    ...["latest", "staging", "main", "dev", "edge", "nightly", "rolling"].map(
      (tag) => `registry.example/runtime-demo:${tag}`,
    ),
  ])("I2 %s moves: it has no tag, or one that publishers move", (reference) => {
    expect(isMovingReference(reference)).toBe(true);
  });

  it.each([
    "registry.example/runtime-demo:1.2.3",
    "localhost:5000/runtime-demo:v1",
    "registry.example/runtime-demo:latest-1.2.3",
    "registry.example/runtime-demo:Latest",
    "main:1.0",
    "registry.example/main/dev:2026-11-21",
  ])("I3 %s has any other tag and is pinned", (reference) => {
    expect(isMovingReference(reference)).toBe(false);
  });

  it("I4 the predecessor's bare local images are pinned, but not those of a registry", () => {
    expect(isMovingReference("workspace-template:latest")).toBe(false);
    expect(isMovingReference("workspace-template:claude-code")).toBe(false);
    expect(isMovingReference("registry.example/workspace-template:latest")).toBe(true);
    expect(isMovingReference("workspace-template-demo:latest")).toBe(true);
  });

  it("I5 a registry's port is no tag, and a digest is taken whole", () => {
    expect(splitReference("localhost:5000/a/b")).toEqual({ name: "localhost:5000/a/b", tag: null });
    expect(splitReference("localhost:5000/a:1")).toEqual({ name: "localhost:5000/a", tag: "1" });
    expect(splitReference(`a/b@${DIGEST}`)).toEqual({ name: "a/b", tag: DIGEST });
  });
});
