import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";
import { Canvas } from "../canvas-page.ts";
import { removeAll, signIn, test } from "../product-fixture.ts";

async function violations(page: Page): Promise<string[]> {
  const result = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
    .analyze();
  return result.violations.map(
    (each) => `${each.id}: ${each.nodes.map((node) => node.target.join(" ")).join(", ")}`,
  );
}

for (const colorScheme of ["dark", "light"] as const) {
  test(`every screen passes axe in ${colorScheme}`, async ({ browser, platform }) => {
    await removeAll(platform);
    const context = await browser.newContext({ colorScheme });
    const page = await context.newPage();
    await signIn(page, platform);
    await expect(page.getByRole("heading", { name: /first agent/ })).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Import a team" }).click();
    await page.getByRole("button", { name: /^Small team/ }).click();
    await expect(page.getByText(/agents will be made/)).toBeVisible();
    expect(await violations(page), "a team's preview").toEqual([]);
    await page.keyboard.press("Escape");

    await platform.call("POST", "/workspaces", { name: "Ada", runtime: "demo" });
    const canvas = new Canvas(page);
    await canvas.isOnline("Ada");
    expect(await violations(page)).toEqual([]);
    await canvas.open("Ada");
    for (const tab of ["Chat", "Activity", "Overview", "Files", "Configure"] as const) {
      await canvas.tab(tab);
      expect(await violations(page), tab).toEqual([]);
    }
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "New agent" }).first().click();
    await expect(page.getByRole("button", { name: "Create agent" })).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("radio", { name: /^Bring your own agent/ }).click();
    await page.getByRole("button", { name: "Create agent" }).click();
    await page.getByRole("button", { name: "I have kept the token" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "I have kept the token" }).click();
    expect(await violations(page)).toEqual([]);
    await context.close();
  });
}

test("an agent is created, opened, spoken to and restarted with the keyboard alone", async ({
  signedIn: page,
  platform,
}) => {
  await removeAll(platform);
  await page.reload();
  await expect(page.getByRole("heading", { name: /first agent/ })).toBeVisible();
  await page.keyboard.type("greet me");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Create agent" })).toBeVisible();
  await page.getByRole("button", { name: "Create agent" }).focus();
  await page.keyboard.press("Enter");
  const canvas = new Canvas(page);
  await canvas.isOnline("Assistant");
  await expect(canvas.lastAnswer("Assistant")).toBeVisible({ timeout: 30_000 });
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+K");
  await page.keyboard.type("restart");
  await expect(page.getByRole("option", { name: /Restart/ }).first()).toBeVisible();
});

test("Enter on every button of the first screen acts like a click", async ({
  signedIn: page,
  platform,
}) => {
  await removeAll(platform);
  await page.reload();
  await expect(page.getByRole("heading", { name: /first agent/ })).toBeVisible();
  const buttons = await page.getByRole("button").all();
  expect(buttons.length).toBeGreaterThan(5);
  for (const button of buttons) {
    if (!(await button.isVisible())) continue;
    await button.evaluate((element) => {
      element.addEventListener(
        "click",
        (event) => {
          event.stopImmediatePropagation();
          event.preventDefault();
          element.setAttribute("data-was-clicked", "yes");
        },
        { capture: true, once: true },
      );
      (element as HTMLElement).focus();
    });
    await page.keyboard.press("Enter");
    const name = await button.evaluate((element) => element.outerHTML.slice(0, 200));
    // A menu opens on the key itself, before there is a click.
    await expect
      .poll(
        () =>
          button.evaluate(
            (element) =>
              element.hasAttribute("data-was-clicked") ||
              element.getAttribute("aria-expanded") === "true" ||
              element.getAttribute("data-state") === "open",
          ),
        { message: name },
      )
      .toBe(true);
    await page.keyboard.press("Escape");
  }
});
