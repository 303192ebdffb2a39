import { expect, type Page } from "@playwright/test";
import { Canvas } from "../canvas-page.ts";
import { removeAll, signIn, test } from "../product-fixture.ts";

/** Everything the page asks of the platform from now on, files of the page itself left out. */
function asked(page: Page): string[] {
  const seen: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    const isPage = request.resourceType() === "document" || pathname.startsWith("/_next/");
    const isFile = /\.(ico|png|svg|webmanifest|txt)$/.test(pathname);
    if (!isPage && !isFile) seen.push(`${request.method()} ${pathname}`);
  });
  page.on("websocket", (socket) => seen.push(`WS ${new URL(socket.url()).pathname}`));
  return seen;
}

test("opening the canvas is one snapshot and one stream, and an idle minute asks nothing", async ({
  page,
  platform,
}) => {
  await removeAll(platform);
  for (let n = 1; n <= 9; n += 1) {
    await platform.call("POST", "/workspaces", {
      name: `Agent ${n}`,
      external: true,
    });
  }
  await signIn(page, platform);
  // The page of the sign-in opens a stream of its own, which would be counted too.
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await page.clock.install();
  const seen = asked(page);
  await page.reload();
  await expect(page.getByRole("treeitem")).toHaveCount(9);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  expect(seen.sort()).toEqual(["GET /trpc/canvas.snapshot", "WS /ws"]);

  seen.length = 0;
  await page.clock.fastForward("01:00");
  await page.clock.runFor(60_000);
  expect(seen).toEqual([]);
});

test("dragging a card is one write", async ({ signedIn: page, platform }) => {
  await removeAll(platform);
  await platform.call("POST", "/workspaces", { name: "Mover", external: true });
  await page.reload();
  const canvas = new Canvas(page);
  const box = await canvas.card("Mover").boundingBox();
  if (box === null) throw new Error("the card has no place on the screen");
  const seen = asked(page);
  await page.mouse.move(box.x + 60, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + 260, box.y + 160, { steps: 40 });
  await page.mouse.up();
  await expect.poll(() => seen.filter((line) => line.includes("layout.moveCards")).length).toBe(1);
  expect(seen).toHaveLength(1);
  await expect
    .poll(async () => {
      const [row] = await platform.call<{ x: number; y: number }[]>("GET", "/workspaces");
      return row?.x;
    })
    .not.toBe(0);
});

test("opening Configure is one request, none after a rest on its tab, and none on a second visit", async ({
  signedIn: page,
  platform,
}) => {
  await removeAll(platform);
  await platform.call("POST", "/workspaces", { name: "Reader", runtime: "demo" });
  await page.reload();
  const canvas = new Canvas(page);
  await canvas.open("Reader");
  await expect(page.getByRole("textbox", { name: "Message Reader" })).toBeVisible();
  await canvas.isOnline("Reader");
  const seen = asked(page);
  const tab = page.getByRole("tab", { name: /^Configure/ });
  const answered = page.waitForResponse(/config\.document/);
  await tab.hover();
  await answered;
  expect(seen).toHaveLength(1);
  await tab.click();
  await expect(page.getByLabel("Instructions")).toBeVisible();
  await expect(page.getByRole("button", { name: "Add secret" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Add schedule" })).toBeVisible();
  expect(seen, "what was fetched while hovering is not asked for again").toHaveLength(1);

  await canvas.tab("Chat");
  await page.reload();
  await expect(page.getByRole("textbox", { name: "Message Reader" })).toBeVisible();
  await page.waitForLoadState("networkidle");
  seen.length = 0;
  await canvas.tab("Configure");
  await expect(page.getByLabel("Instructions")).toBeVisible();
  await expect(page.getByRole("button", { name: "Add secret" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Add schedule" })).toBeVisible();
  expect(seen, "opened without a rest on the tab").toHaveLength(1);
  await canvas.tab("Overview");
  await canvas.tab("Files");
  await expect(page.getByRole("button", { name: /config\.yaml/ })).toBeVisible();
  seen.length = 0;
  await canvas.tab("Configure");
  await canvas.tab("Overview");
  await canvas.tab("Files");
  expect(seen).toEqual([]);
});
