import { mkdir, writeFile } from "node:fs/promises";
import { expect, type Page } from "@playwright/test";
import { Canvas } from "../canvas-page.ts";
import { removeAll, test } from "../product-fixture.ts";

const TEAM = `name: Night desk
description: Who is there when nobody is
defaults: { runtime: demo, model: demo-1 }
workspaces:
  - name: Desk lead
    children:
      - name: Clerk
      - name: Porter
        required_env: [E2E_PORTER_KEY]
`;

/** Has a file fall on the page, as if it came from outside. */
async function drop(page: Page, name: string, bytes: Buffer): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([called, content]) => {
      const data = new DataTransfer();
      const raw = Uint8Array.from(atob(content), (char) => char.charCodeAt(0));
      data.items.add(new File([raw], called));
      return data;
    },
    [name, bytes.toString("base64")] as const,
  );
  const target = page.locator("body");
  await target.dispatchEvent("dragover", { dataTransfer: transfer });
  await expect(page.getByText("Drop a team or a template")).toBeVisible();
  await target.dispatchEvent("drop", { dataTransfer: transfer });
}

test("a template that comes on the server is in an open sheet, and a chosen folder becomes one", async ({
  signedIn: page,
  platform,
}, testInfo) => {
  await removeAll(platform);
  for (const id of ["night-clerk", "day-clerk"]) {
    await platform.call("DELETE", `/templates/${id}`).catch(() => undefined);
  }
  await page.goto(`${platform.url}/new`);
  const sheet = page.getByRole("dialog", { name: "New agent" });
  await expect(sheet.getByRole("radio", { name: /Assistant/ })).toBeVisible();
  const config = (name: string) => `name: ${name}\nruntime: demo\nmodel: demo-1\n`;
  await platform.call("POST", "/templates/import", {
    name: "night-clerk",
    files: { "config.yaml": config("Night clerk") },
  });
  await expect(sheet.getByRole("radio", { name: /Night clerk/ })).toBeVisible();

  const folder = testInfo.outputPath("day-clerk");
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}/config.yaml`, config("Day clerk"));
  await writeFile(`${folder}/.hidden`, "not taken");
  await page.getByLabel("Folder to import").setInputFiles(folder);
  await expect(sheet.getByRole("radio", { name: /Day clerk/ })).toBeChecked();

  await sheet.getByRole("button", { name: "Remove the template Day clerk" }).click();
  await expect(sheet.getByText("Agents made from it stay as they are")).toBeVisible();
  await sheet.getByRole("button", { name: "Remove template", exact: true }).click();
  await expect(sheet.getByRole("radio", { name: /Day clerk/ })).toHaveCount(0);
  await expect(sheet.getByRole("radio", { name: /Assistant/ }), "the first one").toBeChecked();
  await expect(
    sheet.getByRole("button", { name: /^Remove/ }),
    "the operator's own cannot be removed here",
  ).toHaveCount(0);
  await drop(page, "notes.txt", Buffer.from("x"));
  await expect(page.getByText("“notes.txt” was not imported")).toBeVisible();
});

test("a team is previewed with what it needs, imported, seen coming up, and found again after a reload", async ({
  signedIn: page,
  platform,
}, testInfo) => {
  await removeAll(platform);
  await page.reload();
  const folder = testInfo.outputPath("night-desk");
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}/org.yaml`, TEAM);
  await page.getByRole("button", { name: "Import a team" }).click();
  await page.getByLabel("Folder to import").setInputFiles(folder);
  const sheet = page.getByRole("dialog", { name: "Night desk" });
  await expect(sheet.getByText("3 agents will be made")).toBeVisible();
  const start = sheet.getByRole("button", { name: "Import 3 agents" });
  await expect(start, "a key is missing").toBeDisabled();
  await expect(sheet.getByRole("listitem").filter({ hasText: "Porter" })).toContainText(
    "needs E2E_PORTER_KEY",
  );
  await sheet.getByLabel("E2E_PORTER_KEY").fill("e2e-value");
  await expect(sheet.getByLabel("E2E_PORTER_KEY"), "and is still being typed").toBeFocused();
  await expect(sheet.getByRole("listitem").filter({ hasText: "Porter" })).toContainText("starts");
  await start.click();

  const panel = page.getByRole("complementary", { name: "Night desk" });
  for (const name of ["Desk lead", "Clerk", "Porter"]) {
    await expect(panel.getByRole("listitem").filter({ hasText: name })).toContainText("Online", {
      timeout: 60_000,
    });
  }
  await page.reload();
  await expect(panel.getByRole("listitem").filter({ hasText: "Porter" })).toContainText("Online");

  const download = page.waitForEvent("download");
  await new Canvas(page).menu("Desk lead", "Export");
  expect((await download).suggestedFilename()).toMatch(/\.tar\.gz$/);
  await platform.call("DELETE", "/settings/secrets/E2E_PORTER_KEY");
});

test("a team is imported paused and in part: what was left out is named, and one press starts the rest", async ({
  signedIn: page,
  platform,
}, testInfo) => {
  await removeAll(platform);
  await page.reload();
  const folder = testInfo.outputPath("day-desk");
  await mkdir(folder, { recursive: true });
  const team = `name: Day desk
defaults: { runtime: demo, model: demo-1 }
workspaces:
  - name: Day lead
    children:
      - name: Runner
      - { name: Odd, template: no-such-template }
`;
  await writeFile(`${folder}/org.yaml`, team);
  await page.getByRole("button", { name: "Import a team" }).click();
  await page.getByLabel("Folder to import").setInputFiles(folder);
  const sheet = page.getByRole("dialog", { name: "Day desk" });
  await expect(sheet.getByRole("listitem").filter({ hasText: "Odd" })).toContainText("left out");
  await sheet.getByRole("checkbox", { name: /Import paused/ }).check();
  await sheet.getByRole("button", { name: "Import 2 agents" }).click();

  const panel = page.getByRole("complementary", { name: "Day desk" });
  const line = (name: string) =>
    panel
      .getByRole("region", { name: "All agents" })
      .getByRole("listitem")
      .filter({ hasText: name });
  await expect(panel.getByRole("region", { name: "1 agent to look at" })).toContainText("Odd");
  await expect(panel.getByText("Everything is made and paused.")).toBeVisible();
  await expect(line("Runner")).toContainText("Paused");
  await panel.getByRole("button", { name: "Start the team" }).click();
  for (const name of ["Day lead", "Runner"]) {
    await expect(line(name)).toContainText("Online", { timeout: 60_000 });
  }
});
