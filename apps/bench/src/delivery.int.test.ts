import { expect, it } from "vitest";
import { runDelivery } from "./delivery/run.ts";

const options =
  process.env.MOLECULE_TEST_LONG === "1"
    ? { events: 10_000, disconnects: 200, serverKills: 2 }
    : { events: 200, disconnects: 12, serverKills: 1 };

it("a reader that is cut off again and again gets every event once and in order", async () => {
  const { logged, received, connections } = await runDelivery(options);
  // A write whose answer a dying server kept is written again.
  expect(logged.length).toBeGreaterThanOrEqual(options.events);
  expect(received).toEqual(logged);
  expect(connections).toBeGreaterThan(options.disconnects / 2);
}, 1_200_000);
