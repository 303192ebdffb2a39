import { describe, expect, it } from "vitest";
import {
  type ConnectFacts,
  connectProgress,
  connectSteps,
  isConnected,
  whyAwaited,
} from "./connect-steps.ts";

const AT = "2030-01-01T00:00:00Z";
const NOTHING: ConnectFacts = {
  tokenAt: null,
  registeredAt: null,
  firstBeatAt: null,
  firstMessageAt: null,
};
const KEYS = ["tokenAt", "registeredAt", "firstBeatAt", "firstMessageAt"] as const;

/** Every combination of steps that have happened. */
const everyCombination = Array.from({ length: 2 ** KEYS.length }, (_, bits): ConnectFacts => {
  const facts = KEYS.map((key, n) => [key, (bits >> n) & 1 ? AT : null] as const);
  return { ...NOTHING, ...Object.fromEntries(facts) };
});

describe("connecting an agent that runs elsewhere", () => {
  it("E1: always has the same four steps, in the order of a connection", () => {
    for (const facts of everyCombination) {
      expect(connectSteps(facts).map((step) => step.key)).toEqual(KEYS);
    }
  });

  it("E2: is done when all four have happened, in whichever order they came", () => {
    for (const facts of everyCombination) {
      const done = KEYS.filter((key) => facts[key] !== null).length;
      expect(connectProgress(facts)).toEqual({ done, count: 4 });
      expect(isConnected(facts)).toBe(done === 4);
    }
  });

  it("E3: says of each missing step, and of no other, in one sentence what to do", () => {
    for (const facts of everyCombination) {
      for (const { key, at, todo } of connectSteps(facts)) {
        expect(at).toBe(facts[key]);
        if (at !== null) expect(todo).toBeNull();
        else expect(todo).toMatch(/^[A-Z][^.]*\.$/);
      }
    }
  });

  it("E4: tells an agent whose token was replaced from one that is silent, or never came", () => {
    const why = (facts: Partial<ConnectFacts>, beat: string | null) =>
      whyAwaited({ ...NOTHING, ...facts }, beat);
    expect(whyAwaited(null, null)).toBe("first_beat");
    expect(why({ tokenAt: AT }, null)).toBe("first_beat");
    expect(why({ tokenAt: AT, registeredAt: AT }, AT)).toBe("first_beat");
    expect(why({ tokenAt: AT, firstBeatAt: AT }, AT)).toBe("silent");
    expect(why({ tokenAt: AT, firstMessageAt: AT }, AT)).toBe("token_replaced");
  });

  it("E3: does not ask an agent that has registered to register", () => {
    const todo = (facts: Partial<ConnectFacts>) =>
      connectSteps({ ...NOTHING, ...facts }).find((step) => step.key === "firstBeatAt")?.todo;
    expect(todo({})).toContain("after the registration");
    expect(todo({ registeredAt: AT })).toContain("/registry/heartbeat");
  });
});
