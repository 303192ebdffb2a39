import { expect, it } from "vitest";
import { classified } from "./process-failures.ts";

it("says what is wrong where the environment of an agent is larger than a process can have", async () => {
  const refused = classified("create_failed", "It could not be started.", async () => {
    throw Object.assign(new Error("spawn E2BIG"), { code: "E2BIG" });
  });
  await expect(refused).rejects.toMatchObject({
    isRetryable: false,
    failure: { sentence: "The secrets of this agent are too large together." },
  });
});
