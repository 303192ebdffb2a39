import { describe, expect, it } from "vitest";
import { checkHistory, type History, type RecordedAttempt } from "./history.ts";

const settings = { streamGapMs: 200, hardLimitMs: 18_000 };

function attempt(no: number, more: Partial<RecordedAttempt> = {}): RecordedAttempt {
  return {
    workspaceId: "w",
    no,
    reason: no === 1 ? "create" : "files",
    actor: "Ada",
    sentence: "1 file changed by Ada",
    outcome: "ready",
    snapGen: no,
    ...more,
  };
}

function witness(attemptNo: number, values: Record<string, string>) {
  return { workspaceId: "w", attemptNo, values, pid: 100 + attemptNo, at: 1_000 * attemptNo };
}

/** Created, then one write of a file and one of a secret, each with its restart. */
const right: History = {
  changes: [
    { workspaceId: "w", gen: 2, name: "file a.md", isBatch: false, at: 1_000 },
    { workspaceId: "w", gen: 3, name: "secret K", isBatch: false, at: 5_000 },
  ],
  writes: [
    { workspaceId: "w", name: "file a.md", value: "one" },
    { workspaceId: "w", name: "secret K", value: "two" },
  ],
  attempts: [attempt(1), attempt(2), attempt(3, { reason: "secret" })],
  witnesses: [
    witness(1, {}),
    witness(2, { "file a.md": "one" }),
    witness(3, { "file a.md": "one", "secret K": "two" }),
  ],
  pressed: new Map(),
  killings: [],
};

function wrong(change: Partial<History>): string[] {
  return Object.entries(checkHistory({ ...right, ...change }, settings))
    .filter(([, list]) => list.length > 0)
    .map(([name]) => name);
}

describe("the judge of a chaos run", () => {
  it("accepts a right history, also one whose content is newer than its generation", () => {
    expect(wrong({})).toEqual([]);
    const [first, , third] = right.witnesses;
    if (first === undefined || third === undefined) throw new Error("three witnesses");
    expect(wrong({ witnesses: [first, { ...third, attemptNo: 2 }, third] })).toEqual([]);
  });

  it("catches a stale attempt in the middle, although the end is right", () => {
    const [first, , third] = right.witnesses;
    if (first === undefined || third === undefined) throw new Error("three witnesses");
    expect(wrong({ witnesses: [first, { ...first, attemptNo: 2 }, third] })).toEqual(["stale"]);
  });

  it("catches content of a deleted file that came back", () => {
    const changes = [
      ...right.changes,
      { workspaceId: "w", gen: 4, name: "file a.md", isBatch: false, at: 9_000 },
    ];
    const writes = [...right.writes, { workspaceId: "w", name: "file a.md", value: null }];
    const attempts = [...right.attempts, attempt(4)];
    const boot = (values: Record<string, string>) => [
      ...right.witnesses,
      witness(4, { "secret K": "two", ...values }),
    ];
    expect(wrong({ changes, writes, attempts, witnesses: boot({}) })).toEqual([]);
    const back = boot({ "file a.md": "one" });
    expect(wrong({ changes, writes, attempts, witnesses: back })).toEqual(["stale"]);
  });

  it("catches a value that nobody has written", () => {
    const [first, second, third] = right.witnesses;
    if (first === undefined || second === undefined || third === undefined) throw new Error("3");
    const odd = { ...second, values: { "file a.md": "half of o" } };
    expect(wrong({ witnesses: [first, odd, third] })).toEqual(["stale"]);
  });

  it("catches an acknowledged write that is not on record, and a recorded one nobody made", () => {
    expect(wrong({ changes: right.changes.slice(0, 1) })).toContain("missing");
    expect(wrong({ writes: right.writes.slice(0, 1) })).toContain("missing");
  });

  it("catches a restart that a probe has fired, and accepts the one of a real death", () => {
    const attempts = [...right.attempts, attempt(4, { reason: "crash", snapGen: 3 })];
    const [last] = right.witnesses.slice(-1);
    if (last === undefined) throw new Error("three witnesses");
    const witnesses = [...right.witnesses, { ...last, attemptNo: 4 }];
    expect(wrong({ attempts, witnesses })).toEqual(["selfFired"]);
    const pressed = new Map([["w", { clicks: 0, resumes: 0, deaths: 1 }]]);
    expect(wrong({ attempts, witnesses, pressed })).toEqual([]);
  });

  it("catches a retry after nothing failed, and a click that nobody made", () => {
    for (const reason of ["boot_retry", "user"]) {
      const [first, second] = right.attempts;
      if (first === undefined || second === undefined) throw new Error("three attempts");
      const attempts = [first, second, attempt(3, { reason })];
      expect(wrong({ attempts })).toEqual(["selfFired"]);
    }
  });

  it("catches two instances of one attempt, and a ready one that nobody saw boot", () => {
    expect(wrong({ witnesses: [...right.witnesses, ...right.witnesses.slice(-1)] })).toEqual([
      "twice",
    ]);
    expect(wrong({ witnesses: right.witnesses.slice(0, 2) })).toEqual(["unseen"]);
  });

  it("catches an attempt without reason, actor, sentence or end, and a hole in the numbers", () => {
    for (const hole of [{ reason: null }, { actor: "" }, { sentence: null }, { outcome: null }]) {
      const attempts = [attempt(1), attempt(2), attempt(3, hole)];
      expect(wrong({ attempts })).toContain("unexplained");
    }
    const attempts = [attempt(1), attempt(2), attempt(4, { snapGen: 3 })];
    expect(wrong({ attempts })).toContain("unexplained");
  });

  it("catches more restarts than the streams, batches and clicks allow", () => {
    const many = Array.from({ length: 6 }, (_, index) => attempt(index + 1, { snapGen: 3 }));
    const [last] = right.witnesses.slice(-1);
    if (last === undefined) throw new Error("three witnesses");
    const witnesses = many.map(({ no }) => ({ ...last, attemptNo: no }));
    expect(wrong({ attempts: many.slice(0, 5), witnesses: witnesses.slice(0, 5) })).toEqual([]);
    expect(wrong({ attempts: many, witnesses })).toEqual(["tooMany"]);
    const pressed = new Map([["w", { clicks: 1, resumes: 0, deaths: 0 }]]);
    expect(wrong({ attempts: many, witnesses, pressed })).toEqual([]);
  });
});
