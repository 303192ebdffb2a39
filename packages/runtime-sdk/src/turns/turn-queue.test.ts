import { describe, expect, it } from "vitest";
import { TurnQueue } from "./turn-queue.ts";

/** A turn that ends when told to, and says when it began. */
function controlled() {
  let finish = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const turn = { hasBegun: false, finish: () => finish(), run: async () => {} };
  turn.run = async () => {
    turn.hasBegun = true;
    await ended;
  };
  return turn;
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

describe("the turn queue", () => {
  it("runs one turn of a context at a time, in order of arrival", async () => {
    const queue = new TurnQueue({ maxConcurrent: 4, maxWaiting: 10 });
    const [first, second] = [controlled(), controlled()];
    const runs = [queue.run("a", never, first.run), queue.run("a", never, second.run)];
    await settle();
    expect([first.hasBegun, second.hasBegun]).toEqual([true, false]);
    first.finish();
    await settle();
    expect(second.hasBegun).toBe(true);
    second.finish();
    await Promise.all(runs);
    expect(queue.running).toBe(0);
  });

  it("lets a free context pass a busy one, and stops at its limit", async () => {
    const queue = new TurnQueue({ maxConcurrent: 2, maxWaiting: 10 });
    const turns = [controlled(), controlled(), controlled(), controlled()];
    const runs = ["a", "a", "b", "c"].map((context, n) =>
      queue.run(context, never, turns[n]?.run ?? settle),
    );
    await settle();
    expect(turns.map((turn) => turn.hasBegun)).toEqual([true, false, true, false]);
    for (const turn of turns) turn.finish();
    await Promise.all(runs);
  });

  it("drops a waiting turn that is aborted, without running it", async () => {
    const queue = new TurnQueue({ maxConcurrent: 1, maxWaiting: 10 });
    const [first, second, third] = [controlled(), controlled(), controlled()];
    const controller = new AbortController();
    const runs = [queue.run("a", never, first.run)];
    const dropped = queue.run("a", controller.signal, second.run);
    runs.push(queue.run("a", never, third.run));
    controller.abort(new Error("cancelled"));
    await expect(dropped).rejects.toThrow("cancelled");
    first.finish();
    third.finish();
    await Promise.all(runs);
    expect(second.hasBegun).toBe(false);
  });

  it("goes on after a turn that throws", async () => {
    const queue = new TurnQueue({ maxConcurrent: 1, maxWaiting: 10 });
    const broken = queue.run("a", never, () => Promise.reject(new Error("broken")));
    await expect(broken).rejects.toThrow("broken");
    expect(await queue.run("a", never, async () => "next")).toBe("next");
  });

  it("refuses a turn when too many wait", async () => {
    const queue = new TurnQueue({ maxConcurrent: 1, maxWaiting: 1 });
    const first = controlled();
    const running = queue.run("a", never, first.run);
    const waiting = queue.run("a", never, async () => undefined);
    await expect(queue.run("b", never, async () => undefined)).rejects.toThrow("Too many messages");
    first.finish();
    await Promise.all([running, waiting]);
  });
});
