import { expect, it } from "vitest";
import { BackendError } from "../provisioning/compute-backend.ts";
import { isStoreDown } from "./store-down.ts";

const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

it("a lost database is the store that is down, also behind another error", () => {
  expect(isStoreDown(new Error("a statement failed", { cause: refused }))).toBe(true);
});

it("an engine that does not answer is not, although the system's code is the same", () => {
  const failure = {
    code: "engine_unavailable",
    sentence: "It does not answer.",
    next: "Start it.",
  };
  const error = new BackendError(
    { ...failure, code: "engine_unavailable" },
    {
      isRetryable: true,
      cause: refused,
    },
  );
  expect(isStoreDown(error)).toBe(false);
});
