import { expect } from "@playwright/test";
import { Canvas } from "../canvas-page.ts";
import { removeAll, test } from "../product-fixture.ts";

test("a schedule is written in words, corrected, run, answered, switched off and deleted, by keyboard where it matters", async ({
  signedIn: page,
  platform,
}) => {
  await removeAll(platform);
  await platform.call("POST", "/workspaces", { name: "Clerk", runtime: "demo" });
  await page.reload();
  const canvas = new Canvas(page);
  await canvas.isOnline("Clerk");
  await canvas.open("Clerk");
  await canvas.tab("Configure");
  const section = canvas.part().getByRole("region", { name: "Schedules" });
  await expect(section).toContainText("None yet.");

  await section.getByRole("button", { name: "Add schedule" }).click();
  const form = section.getByRole("form", { name: "New schedule" });
  await expect(form.getByRole("textbox", { name: "Message" })).toBeFocused();
  await form.getByRole("combobox", { name: "How often" }).selectOption("Something else");
  await form.getByRole("textbox", { name: "Cron" }).fill("61 9 * * 1-5");
  await expect(form).toContainText("The minute “61” is not valid: use 0 to 59");
  await form.getByRole("combobox", { name: "How often" }).selectOption("Monday to Friday");
  await form.getByLabel("Time", { exact: true }).fill("07:45");
  await form.getByRole("combobox", { name: "Time zone" }).fill("Europe/Berlin");
  await expect(form).toContainText("At 07:45 from Monday to Friday");
  await expect(form).toContainText(/Next: \w{3} \d+ \w+, 07:45 · \w{3} \d+ \w+, 07:45/);
  await form.getByRole("button", { name: "Add schedule" }).click();
  await expect(form).toContainText("Say what the agent shall do.");
  const message = form.getByRole("textbox", { name: "Message" });
  await expect(message).toBeFocused();
  await form.getByRole("textbox", { name: "Name" }).fill("Morning");
  await message.fill("Who are you?");
  await message.press("Control+Enter");

  const row = section.getByRole("article", { name: "Morning" });
  await expect(row).toContainText("At 07:45 from Monday to Friday · Europe/Berlin");
  await expect(row).toContainText(/Next in .* 07:45/);
  await row.getByRole("button", { name: "Run Morning now" }).click();
  await row.getByText("Message and last runs").click();
  await expect(row.getByRole("list", { name: "Last runs" })).toContainText(/Run by .*answered/);
  await expect(row).toContainText("The last run was answered.");

  const isOn = row.getByRole("switch", { name: "Morning is on" });
  await isOn.focus();
  await isOn.press("Space");
  await expect(row).toContainText("Off: it does not run by itself.");
  await page.reload();
  await expect(isOn).not.toBeChecked();

  await canvas.tab("Chat");
  await expect(canvas.part()).toContainText("Who are you?");
  await canvas.tab("Configure");
  await row.getByRole("button", { name: "More for Morning" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await row.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(section).toContainText("None yet.");
});
