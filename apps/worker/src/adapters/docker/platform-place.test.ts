import { expect, it } from "vitest";
import type { Engine } from "./engine.ts";
import { LABEL_PLATFORM } from "./names.ts";
import { createPlatformPlace } from "./platform-place.ts";

/** Of this machine, and no address that rules of the firewall are made for. */
const HERE = "localhost";
/** For documentation: nobody's. */
const NOT_HERE = "192.0.2.1";

function open(first: string) {
  const state = { gateway: first, nowMs: 0 };
  const network = () => ({
    Labels: { [LABEL_PLATFORM]: "p" },
    Options: { "com.docker.network.bridge.enable_icc": "false" },
    IPAM: { Config: [{ Gateway: state.gateway }] },
  });
  const engine = { call: async () => network() } as unknown as Engine;
  const nowMs = () => state.nowMs;
  const platform = { platformId: "p", publicPort: 1, nowMs, bridgePatienceMs: 50 };
  return { state, place: createPlatformPlace(engine, platform) };
}

it("takes a bridge that was here and is not for one that is down, and never for one elsewhere", async () => {
  const { state, place } = open(HERE);
  expect((await place.settle()).network.gateway).toBe(HERE);
  state.gateway = NOT_HERE;
  state.nowMs += 31_000;
  await expect(place.settle()).rejects.toMatchObject({ isRetryable: true });
  state.gateway = HERE;
  expect((await place.settle()).network.gateway).toBe(HERE);
});

it("finds a bridge that comes up after the first look was over", async () => {
  const { state, place } = open(NOT_HERE);
  expect((await place.settle()).network.gateway).toBeNull();
  state.gateway = HERE;
  state.nowMs += 31_000;
  expect((await place.settle()).network.gateway).toBe(HERE);
});

it("leaves an engine in a machine of its own alone", async () => {
  const { state, place } = open(NOT_HERE);
  expect((await place.settle()).network.gateway).toBeNull();
  state.nowMs += 31_000;
  expect((await place.settle()).network.gateway).toBeNull();
});
