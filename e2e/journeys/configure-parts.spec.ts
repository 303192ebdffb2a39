import { expect, type Page } from "@playwright/test";
import { Canvas } from "../canvas-page.ts";
import { removeAll, test } from "../product-fixture.ts";

/** Every part of Configure: its procedure, what it says when it fails, and what it shows when it works. */
const PARTS = [
  {
    procedure: "config.document",
    failed: "The settings could not be loaded",
    shown: (page: Page) => page.getByLabel("Instructions"),
  },
  {
    procedure: "config.secrets",
    failed: "The secrets could not be loaded.",
    shown: (page: Page) => page.getByRole("button", { name: "Add secret" }),
  },
  {
    procedure: "schedules.list",
    failed: "The schedules could not be loaded.",
    shown: (page: Page) => page.getByRole("button", { name: "Add schedule" }),
  },
  {
    procedure: "memories.list",
    failed: "The memories could not be loaded.",
    shown: (page: Page) => page.getByText("None yet. What the agent keeps"),
  },
] as const;

/** The same batch with one call that the platform refuses: it asks for a workspace that is not there. */
function withFailing(address: string, procedure: string): string {
  const url = new URL(address);
  const at = url.pathname.replace("/trpc/", "").split(",").indexOf(procedure);
  if (at < 0) return address;
  const inputs: Record<string, object> = JSON.parse(url.searchParams.get("input") ?? "{}");
  inputs[at] = { ...inputs[at], workspaceId: "00000000-0000-4000-8000-000000000000" };
  url.searchParams.set("input", JSON.stringify(inputs));
  return url.href;
}

test("each part of Configure fails by itself: it says so, no form is drawn from it, and Retry brings it back", async ({
  signedIn: page,
  platform,
}) => {
  await removeAll(platform);
  const { id } = await platform.call<{ id: string }>("POST", "/workspaces", {
    name: "Parts",
    external: true,
  });
  for (const broken of PARTS) {
    await page.route(/\/trpc\//, (route) =>
      route.continue({ url: withFailing(route.request().url(), broken.procedure) }),
    );
    await page.goto(`${platform.url}/w/${id}/configure`);
    const alerts = new Canvas(page).part().getByRole("alert");
    const alert = alerts.filter({ hasText: broken.failed });
    await expect(alert).toBeVisible();
    for (const part of PARTS) {
      if (part === broken) await expect(part.shown(page)).toHaveCount(0);
      else await expect(part.shown(page)).toBeVisible();
    }
    await expect(alerts).toHaveCount(1);
    await page.unrouteAll();
    await alert.getByRole("button", { name: "Retry" }).click();
    await expect(broken.shown(page)).toBeVisible();
    await expect(alerts).toHaveCount(0);
  }
});

test("what was not changed cannot be saved from the form, and asks for nothing", async ({
  signedIn: page,
  platform,
}) => {
  await removeAll(platform);
  await platform.call("POST", "/workspaces", { name: "Same", external: true });
  await page.reload();
  const canvas = new Canvas(page);
  await canvas.open("Same");
  await canvas.tab("Configure");
  const description = page.getByLabel("Description");
  await expect(description).toBeVisible();
  const writes: string[] = [];
  page.on("request", (request) => {
    if (request.method() !== "GET") writes.push(request.url());
  });
  const apply = page.getByRole("button", { name: /^(Apply|Save)/ });
  await expect(apply).toHaveCount(0);
  await description.press("Control+s");
  await description.fill("x");
  await expect(apply.first()).toBeVisible();
  await description.fill("");
  await expect(apply, "an edit back to what is saved is none").toHaveCount(0);
  await description.press("Control+s");
  await expect(page.getByText("Nothing had changed")).toHaveCount(0);
  expect(writes).toEqual([]);
});
