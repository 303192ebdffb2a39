import { expect } from "@playwright/test";
import { Canvas } from "../canvas-page.ts";
import { removeAll, test } from "../product-fixture.ts";

test("a saved file becomes a restart whose row says why, how long each phase took and where it ran, and the day has its strip", async ({
  signedIn: page,
  platform,
}) => {
  await removeAll(platform);
  const { id } = await platform.call<{ id: string }>("POST", "/workspaces", {
    name: "Clerk",
    runtime: "demo",
  });
  await page.reload();
  const canvas = new Canvas(page);
  await canvas.isOnline("Clerk");
  await platform.call("POST", "/trpc/config.save", {
    workspaceId: id,
    files: [{ path: "ledger.md", content: "# Ledger\n", baseSha256: null }],
  });
  await expect
    .poll(async () => (await canvas.attempts(id, platform))[0], { timeout: 45_000 })
    .toMatchObject({ no: 2, outcome: "ready" });
  await canvas.open("Clerk");
  await canvas.tab("Overview");

  const row = canvas.part().getByRole("group").filter({ hasText: "#2" });
  await row
    .getByText(/ledger\.md|1 file/)
    .first()
    .click();
  await expect(row.getByText("ledger.md")).toBeVisible();
  await expect(row.getByRole("list", { name: "Phases" }).getByRole("listitem")).not.toHaveCount(0);
  await expect(row.getByRole("button", { name: "Copy the id of the process" })).toBeVisible();

  const strip = canvas
    .part()
    .getByRole("img", { name: /^Online .* since it was created .*; 1 restart/ });
  await expect(strip).toBeVisible();
  await canvas.part().getByRole("slider", { name: "Times of the last 24 hours" }).focus();
  await expect(canvas.part().getByText(/^Online · .* – now/)).toBeVisible();
});
