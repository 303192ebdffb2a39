import { expect, it } from "vitest";
import { parseFailpoints } from "./failpoint.ts";

it("does nothing without text and at places that are not named", async () => {
  await parseFailpoints("")("after_create");
  await parseFailpoints("after_stop:throw")("after_create");
});

it("throws where it is asked to, as often as it is asked to", async () => {
  const failpoint = parseFailpoints("after_stop:throw*1,before_create:pause=1");
  await expect(failpoint("after_stop")).rejects.toThrow("asked to throw");
  await failpoint("after_stop");
  await failpoint("before_create");
});

it.each(["nowhere:crash", "after_stop:explode", "after_stop"])("refuses %s", (text) => {
  expect(() => parseFailpoints(text)).toThrow(/MOLECULE_FAILPOINTS/);
});
