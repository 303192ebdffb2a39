import { expect, it } from "vitest";
import { SILENT_LOG } from "./log.ts";
import { Scope } from "./scope.ts";

it("ends in reverse order, goes on after a failing end, and ends once", async () => {
  const ended: string[] = [];
  const scope = new Scope(SILENT_LOG);
  for (const name of ["database", "server", "loop"]) {
    scope.add(name, async () => {
      ended.push(name);
      if (name === "server") throw new Error("stuck");
    });
  }
  await Promise.all([scope.stop(), scope.stop()]);
  expect(ended).toEqual(["loop", "server", "database"]);
});
