import type { ShownMemory } from "@molecule/contracts/shown-memories";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { TooltipProvider } from "../../../ui/tooltip.tsx";
import { ClockProvider } from "../../clock/clock.tsx";
import { MemoryList, type MemoryListProps } from "./memory-list.tsx";
import { memoryTitle } from "./model/memory-text.ts";

const OWN: ShownMemory = {
  id: "m1",
  authorId: "w1",
  content: "The owner likes tea <b>",
  scope: "LOCAL",
  namespace: "general",
  createdAt: "2020-01-01T00:00:00Z",
};
const draw = (given: Partial<MemoryListProps>) =>
  renderToStaticMarkup(
    <TooltipProvider>
      <ClockProvider>
        <MemoryList
          workspaceId="w1"
          memories={[OWN]}
          hasMore={false}
          asked=""
          nameOf={(id) => (id === "w2" ? "Lead" : undefined)}
          removingId={null}
          onRemove={() => undefined}
          {...given}
        />
      </ClockProvider>
    </TooltipProvider>,
  );

test("a memory shows its text as text, who reads it, and a button to delete it that names it", () => {
  const html = draw({});
  expect(html).toContain("The owner likes tea &lt;b&gt;");
  expect(html).toContain("for itself");
  expect(html).toContain('aria-label="Delete the memory “The owner likes tea &lt;b&gt;”"');
  expect(html).not.toContain("Show all");
});

test("a memory of another agent says whose it is, and is not deleted here", () => {
  const other = { ...OWN, id: "m2", authorId: "w2", scope: "TEAM", namespace: "rules" } as const;
  const html = draw({ memories: [other, { ...other, id: "m3", authorId: "gone" }] });
  expect(html).toContain("from Lead");
  expect(html).toContain("from another agent");
  expect(html).toContain("for its team");
  expect(html).toContain("rules");
  expect(html).not.toContain("Delete the memory");
});

test("nothing to show says why, and a list that is cut says so", () => {
  expect(draw({ memories: [] })).toContain("None yet.");
  expect(draw({ memories: [], asked: "tea" })).toContain(
    "Nothing it remembers has a word of “tea”",
  );
  expect(draw({ hasMore: true })).toContain("The newest 1. Search for the others.");
  expect(draw({ hasMore: true, asked: "tea" })).toContain("The best 1.");
});

test("a long text is folded, and its button says whether it is open", () => {
  const html = draw({ memories: [{ ...OWN, content: "word ".repeat(100) }] });
  expect(html).toContain("line-clamp-4");
  expect(html).toContain('aria-expanded="false"');
  expect(memoryTitle("a\n b  ".repeat(40))).toHaveLength(60);
});
