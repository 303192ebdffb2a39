import { expect, test } from "vitest";
import { instanceText } from "./instance-text.ts";

test("a process is shown by its number and a container by the start of its id", () => {
  expect(instanceText("process", "4711:2538797:ccc2339f")).toEqual({
    name: "Process",
    shown: "pid 4711",
    copied: "4711",
  });
  const id = "8f1d2c3b4a5968778695a4b3c2d1e0f0a1b2c3d4e5f60718293a4b5c6d7e8f90";
  expect(instanceText("docker", id)).toMatchObject({ shown: "8f1d2c3b4a59", copied: id });
});
