import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";
import { answerText, type RuntimeFixture, startFixture } from "./runtime.fixture.ts";

/** The platform's note, as contract §4.3 has it. */
function tell(fixture: RuntimeFixture, messageId: string, text: string) {
  return fixture.call("message/send", {
    message: {
      kind: "message",
      role: "user",
      messageId,
      parts: [{ kind: "text", text }],
      metadata: { source: "platform", kind: "restart_context", layer: 1, restart_context: true },
    },
  });
}

const WHY = "why were you restarted";

it("C8: a note about a restart is no turn, and the next turn carries it once", async () => {
  await using fixture = await startFixture();
  const { beats } = fixture.platform;
  await waitUntil("the first beat", () => beats.length > 0);
  const told = await tell(fixture, "restart-context:2", "You were restarted: by Ada.");
  expect(told.status?.state).toBe("completed");
  expect(answerText(told)).toBe("");
  expect(beats.every((beat) => beat.active_tasks === 0)).toBe(true);
  expect(answerText(await fixture.say("list files"))).not.toContain("Ada");
  expect(answerText(await fixture.say(WHY))).toContain("You were restarted: by Ada.");
  expect(beats.some((beat) => beat.current_task === WHY)).toBe(true);
});

it("C8: a note that comes twice is one, also over a restart, and waits on disk for its turn", async () => {
  await using first = await startFixture();
  await tell(first, "n1", "one");
  await tell(first, "n1", "one");
  await first.runtime.stop();
  const folder = first.homeDir.slice(0, -"/home".length);
  await using second = await startFixture({ folder });
  await tell(second, "n1", "changed meanwhile");
  expect(answerText(await second.say(WHY))).toContain("one");
  await second.runtime.stop();
  await using third = await startFixture({ folder });
  expect(answerText(await third.say(WHY))).toBe("Nobody has told me of a restart.");
});
