import { hasSshd } from "@molecule/testing/cloud/sshd";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wish } from "./light-bed.fixture.ts";
import { startTunnelBed, type TunnelBed } from "./tunnel-bed.fixture.ts";

const isLong = process.env.MOLECULE_TEST_LONG === "1";
const RUN_MS = isLong ? 60_000 : 4_500;
/** Every tunnel ends this long after it was opened, whatever it carries. */
const LIFE_MS = isLong ? 4_000 : 1_500;
let bed: TunnelBed;

describe.skipIf(!hasSshd())("a server that ends every tunnel", () => {
  beforeAll(async () => {
    bed = await startTunnelBed();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  it(`TU2 every ${LIFE_MS / 1_000} s for ${RUN_MS / 1_000} s: no idempotent operation fails`, async () => {
    bed.ground.control.maxTunnelMs = LIFE_MS;
    const pool = bed.pool({ softAgeMs: LIFE_MS / 2, hardAgeMs: LIFE_MS * 2 });
    const path = bed.at("kept");
    await pool.run(wish(), (one) => one.files.write(path, Buffer.alloc(2_048, "k")));
    const until = performance.now() + RUN_MS;
    const failures: unknown[] = [];
    let operations = 0;
    const caller = async () => {
      while (performance.now() < until) {
        try {
          const read = await pool.run(wish(), (one) => one.files.read(path, 4_096));
          expect(read).toHaveLength(2_048);
          operations += 1;
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: 4 }, caller));
    expect(failures).toEqual([]);
    expect(operations).toBeGreaterThan(20);
    expect(pool.stats().counts.handshakes).toBeGreaterThan(2);
  }, 120_000);
});
