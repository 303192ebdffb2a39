import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { ClockProvider } from "../clock/clock.tsx";
import { ConnectChecklist, type ConnectState } from "./connect-checklist.tsx";
import { rotationConsequences } from "./rotation-consequences.ts";

const NOTHING: ConnectState = {
  tokenAt: null,
  registeredAt: null,
  firstBeatAt: null,
  firstMessageAt: null,
};
const draw = (done: Partial<ConnectState>) =>
  renderToStaticMarkup(
    <ClockProvider>
      <ConnectChecklist connect={{ ...NOTHING, ...done }} />
    </ClockProvider>,
  );
/** The words of the list's items, without its markup. */
const itemsOf = (html: string) =>
  [...html.matchAll(/<li[^>]*>(.*?)<\/li>/gs)].map(([, item = ""]) =>
    item
      .replaceAll(/<svg.*?<\/svg>/gs, "")
      .replaceAll(/<[^>]+>/g, " ")
      .replaceAll(/\s+/g, " ")
      .trim(),
  );

test("each step says whether it is done, and a missing one what to do about it", () => {
  const html = draw({ tokenAt: "2020-01-01T00:00:00Z" });
  const [token, registered, beat, message] = itemsOf(html);
  expect(token).toMatch(/^Token issued : done just now$/);
  expect(registered).toBe(
    "Registered : missing Start the agent with one of the snippets: it registers itself.",
  );
  expect(beat).toContain("First heartbeat : missing");
  expect(message).toContain("First message : missing Write to it in the chat");
  expect(html).toContain('dateTime="2020-01-01T00:00:00.000Z"');
});

test("progress is told to who cannot see the list, and shape as well as colour tells a step", () => {
  const some = draw({ tokenAt: "2020-01-01T00:00:00Z", registeredAt: "2020-01-01T00:00:00Z" });
  expect(some).toContain('role="status"');
  expect(some).toContain("2 of 4 steps of the connection are done");
  expect(some.match(/lucide-circle-check/g)).toHaveLength(2);
  expect(some.match(/lucide-circle-dashed/g)).toHaveLength(2);
});

test("rotating says first what ends, and counts the work that is cut off", () => {
  const busy = rotationConsequences({ status: "online", activeTasks: 2 });
  expect(busy[0]).toContain("ends at once");
  expect(busy[1]).toContain("2 tasks");
  expect(
    rotationConsequences({ status: "awaiting_agent", activeTasks: 2 }).join(" "),
  ).not.toContain("tasks");
  for (const sentence of busy) expect(sentence).toMatch(/\.$/);
});
