import { expect, type Page } from "@playwright/test";
import { Canvas } from "../canvas-page.ts";
import { type Platform, removeAll, test } from "../product-fixture.ts";

const FILES = Array.from(
  { length: 17 },
  (_, n) => `notes/part-${String(n + 1).padStart(2, "0")}.md`,
);

interface Saved {
  readonly url: string;
  readonly status: number;
}

/** Every write that the page sends from now on, with how it was answered. */
function writes(page: Page): Saved[] {
  const seen: Saved[] = [];
  page.on("response", (response) => {
    const request = response.request();
    if (request.method() === "GET" || request.method() === "HEAD") return;
    seen.push({ url: new URL(request.url()).pathname, status: response.status() });
  });
  return seen;
}

async function readFile(platform: Platform, id: string, path: string): Promise<string> {
  const input = encodeURIComponent(JSON.stringify({ workspaceId: id, root: "/configs", path }));
  const answer = await platform.call<{ result: { data: { content: string } } }>(
    "GET",
    `/trpc/files.read?input=${input}`,
  );
  return answer.result.data.content;
}

test("17 files, the model and the instructions wait through tabs and a reload, and one save is one request, one restart and its reason", async ({
  signedIn: page,
  platform,
}) => {
  await removeAll(platform);
  const { id } = await platform.call<{ id: string }>("POST", "/workspaces", {
    name: "Archivist",
    runtime: "demo",
    template: "assistant",
  });
  await platform.call("POST", "/trpc/config.save", {
    workspaceId: id,
    files: FILES.map((path) => ({ path, content: `# ${path}\n`, baseSha256: null })),
  });
  await page.reload();
  const canvas = new Canvas(page);
  await canvas.isOnline("Archivist");
  await expect
    .poll(async () => (await canvas.attempts(id, platform))[0]?.outcome, { timeout: 45_000 })
    .toBe("ready");
  await canvas.open("Archivist");
  const before = await canvas.attempts(id, platform);
  const sent = writes(page);

  await canvas.tab("Files");
  await page.getByRole("button", { name: "notes", exact: true }).click();
  for (const path of FILES) await canvas.editFile(path, `# ${path}\n\nEdited by hand.\n`);
  await expect(page.getByText("17 changes · one restart")).toBeVisible();

  await canvas.tab("Configure");
  await canvas.chooseModel("demo-2");
  await page.getByLabel("Instructions").fill("Keep the archive in order.");
  await canvas.tab("Chat");
  await page.reload();
  await canvas.tab("Files");
  await expect(page.getByText("19 changes · one restart")).toBeVisible();
  expect(sent.map((each) => each.url)).toEqual([]);

  await page.getByRole("button", { name: "Apply", exact: true }).click();
  await expect(page.getByText(/19 changes saved · one restart applies them/)).toBeVisible();
  await expect(
    page.getByText(/model, instructions and 17 files changed by you/i).first(),
  ).toBeVisible();
  await expect
    .poll(async () => (await canvas.attempts(id, platform))[0]?.outcome, { timeout: 45_000 })
    .toBe("ready");
  await canvas.isOnline("Archivist");

  expect(sent).toEqual([{ url: "/trpc/config.save", status: 200 }]);
  const after = await canvas.attempts(id, platform);
  expect(after).toHaveLength(before.length + 1);
  expect(after[0]?.detail.sentence).toMatch(/17 files/);
  for (const path of FILES) {
    expect(await readFile(platform, id, path)).toBe(`# ${path}\n\nEdited by hand.\n`);
  }
  await canvas.tab("Chat");
  await canvas.say("Archivist", "which model and instructions are you running with");
  await expect(canvas.lastAnswer("Archivist")).toContainText("demo-2");
  await expect(canvas.lastAnswer("Archivist")).toContainText("Keep the archive in order.");
});
