import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect } from "@playwright/test";
import { Canvas } from "../canvas-page.ts";
import { type Platform, removeAll, test } from "../product-fixture.ts";

/** Ends the server as a crash would; the launcher starts it again. */
async function killServer({ home }: Platform): Promise<void> {
  const mark = await readFile(path.join(home ?? "", "run/server.json"), "utf8");
  process.kill((JSON.parse(mark) as { pid: number }).pid, "SIGKILL");
}

test.describe
  .serial("a server that dies", () => {
    test("under an open page: the page says so, comes back by itself and misses nothing", async ({
      signedIn: page,
      platform,
    }) => {
      test.info().skip(platform.home === null, "Only our own server may be killed.");
      await removeAll(platform);
      await platform.call("POST", "/workspaces", { name: "Witness", runtime: "demo" });
      await page.reload();
      const canvas = new Canvas(page);
      await canvas.isOnline("Witness");
      await expect(page.getByText("Live", { exact: true })).toBeVisible();
      await killServer(platform);
      await expect(page.getByText(/^(Offline since|Connecting)/)).toBeVisible();
      await expect(page.getByText("Live", { exact: true })).toBeVisible({ timeout: 30_000 });
      await expect(canvas.card("Witness")).toBeVisible();
      await platform.call("POST", "/workspaces", { name: "Latecomer", external: true });
      await expect(canvas.card("Latecomer")).toBeVisible();
    });

    test("in the middle of an answer: the message stays and ends with its answer or a sentence", async ({
      signedIn: page,
      platform,
    }) => {
      test.info().skip(platform.home === null, "Only our own server may be killed.");
      const canvas = new Canvas(page);
      await canvas.open("Witness");
      await canvas.say("Witness", "count slowly to 8");
      await expect(page.getByText(/1 2 3/).first()).toBeVisible();
      await killServer(platform);
      await expect(page.getByText("Live", { exact: true })).toBeVisible({ timeout: 30_000 });
      const end = page.getByText(/1 2 3 4 5 6 7 8|The platform restarted while/).first();
      await expect(end).toBeVisible({ timeout: 45_000 });
      await page.reload();
      await expect(page.getByText("count slowly to 8").first()).toBeVisible();
      await expect(end).toBeVisible();
    });
  });
