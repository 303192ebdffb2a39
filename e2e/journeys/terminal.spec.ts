import AxeBuilder from "@axe-core/playwright";
import { expect } from "@playwright/test";
import { Canvas } from "../canvas-page.ts";
import { removeAll, test } from "../product-fixture.ts";

test("a person opens a shell beside an agent, works in it with the keyboard, and finds it again", async ({
  signedIn: page,
  platform,
}) => {
  await removeAll(platform);
  await platform.call("POST", "/workspaces", { name: "Ada", runtime: "demo" });
  const canvas = new Canvas(page);
  await canvas.isOnline("Ada");
  await canvas.open("Ada");
  await page.getByRole("button", { name: "Actions for Ada" }).click();
  await page.getByRole("menuitem", { name: "Terminal" }).click();
  const drawer = page.getByRole("region", { name: "Terminal of Ada" });
  await expect(drawer.getByRole("status")).toHaveText("Connected");

  // The shell has the focus: what is typed goes there, Escape too.
  await page.keyboard.type("echo made-$((40+2))");
  await page.keyboard.press("Enter");
  const rows = drawer.locator(".xterm-rows");
  await expect(rows).toContainText("made-42");
  await page.keyboard.press("Escape");
  await expect(drawer).toBeVisible();
  const found = await new AxeBuilder({ page }).include("section[aria-label^='Terminal']").analyze();
  expect(found.violations.map(({ id }) => id)).toEqual([]);

  // The documented way out, and the drawer's own button.
  await page.keyboard.press("Control+`");
  await expect(drawer.getByRole("button", { name: "Close terminal" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(drawer).toBeHidden();

  // The shell lives on: a new page is shown what it printed.
  await page.reload();
  await canvas.open("Ada");
  await page.getByRole("button", { name: "Actions for Ada" }).click();
  await page.getByRole("menuitem", { name: "Terminal" }).click();
  await expect(rows).toContainText("made-42");
});
