import { expect } from "@playwright/test";
import { removeAll, test } from "../product-fixture.ts";

test("a plugin is added with the keyboard alone, waits with the other changes, and is saved with them", async ({
  signedIn: page,
  platform,
}) => {
  await removeAll(platform);
  const { id } = await platform.call<{ id: string }>("POST", "/workspaces", {
    name: "Reader",
    external: true,
  });
  await page.goto(`${platform.url}/w/${id}/configure`);
  const plugins = page.getByRole("region", { name: "Plugins" });
  await expect(plugins.getByText("None yet.")).toBeVisible();
  await plugins.getByRole("button", { name: "Add plugin" }).focus();
  await page.keyboard.press("Enter");
  const address = plugins.getByLabel("From GitHub");
  await expect(address).toBeFocused();
  await page.keyboard.type("github://acme/tools");
  await page.keyboard.press("Enter");
  await expect(plugins.getByRole("alert")).toContainText("needs a tag or a whole commit");
  await expect(plugins.getByRole("button", { name: "Install house-style" })).toBeVisible();
  await address.focus();
  await page.keyboard.press("Shift+Tab");
  await expect(plugins.getByRole("button", { name: "Install house-style" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(plugins.getByText("will be installed")).toBeVisible();
  await expect(plugins.getByRole("button", { name: "Add plugin" })).toBeFocused();
  await page.getByLabel("Description", { exact: true }).fill("Reads.");
  await page.reload();
  await expect(page.getByText("2 changes · no restart")).toBeVisible();
  await page.getByRole("button", { name: "Apply", exact: true }).click();
  await expect(plugins.getByText("supported on external")).toBeVisible();
  const at = `/workspaces/${id}/plugins`;
  const rows = await platform.call<{ name: string; source: string }[]>("GET", at);
  expect(rows).toMatchObject([{ name: "house-style", source: "local://house-style" }]);
  await plugins.getByRole("button", { name: "Uninstall house-style" }).click();
  await expect(plugins.getByText("will be removed")).toBeVisible();
  await page.getByRole("button", { name: "Apply", exact: true }).click();
  await expect(plugins.getByText("None yet.")).toBeVisible();
  expect(await platform.call("GET", at)).toEqual([]);
});
