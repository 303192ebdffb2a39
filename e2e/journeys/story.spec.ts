import { expect } from "@playwright/test";
import { Canvas } from "../canvas-page.ts";
import { removeAll, test } from "../product-fixture.ts";

test.describe
  .serial("the main job", () => {
    test("an empty canvas asks for the first agent, and a template makes it in two clicks", async ({
      signedIn: page,
      platform,
    }) => {
      await removeAll(platform);
      await page.reload();
      await expect(
        page.getByRole("heading", { name: "What should your first agent do?" }),
      ).toBeVisible();
      await page
        .getByRole("button", { name: /^Assistant/ })
        .first()
        .click();
      await page.getByRole("button", { name: "Create agent" }).click();
      const canvas = new Canvas(page);
      await expect(canvas.card("Assistant")).toBeVisible();
      await canvas.isOnline("Assistant");
    });

    test("the agent answers, works in its own folder, and both survive a reload", async ({
      signedIn: page,
    }) => {
      const canvas = new Canvas(page);
      await canvas.open("Assistant");
      await canvas.say("Assistant", "who are you");
      await expect(canvas.lastAnswer("Assistant")).toContainText(/demo agent/i);
      await canvas.say("Assistant", "write notes.txt: hello from the story");
      await expect(canvas.lastAnswer("Assistant")).toContainText("notes.txt");
      await canvas.say("Assistant", "read notes.txt");
      await expect(canvas.lastAnswer("Assistant")).toContainText("hello from the story");
      await page.reload();
      await expect(canvas.lastAnswer("Assistant")).toContainText("hello from the story");
      await canvas.tab("Files");
      await page.getByText("Workspace", { exact: true }).click();
      await expect(page.getByRole("button", { name: /notes\.txt/ })).toBeVisible();
    });

    test("a second agent under the first takes a delegated task, and both sides see it", async ({
      signedIn: page,
    }) => {
      const canvas = new Canvas(page);
      await canvas.menu("Assistant", "Add agent under this");
      await page.getByRole("radio", { name: /^Researcher/ }).click();
      await page.getByRole("button", { name: "Create agent" }).click();
      await canvas.isOnline("Researcher");
      await canvas.open("Assistant");
      await canvas.say("Assistant", "delegate to Researcher: who are you");
      await expect(canvas.lastAnswer("Assistant")).toContainText("Researcher", { timeout: 30_000 });
      for (const name of ["Assistant", "Researcher"]) {
        await canvas.open(name);
        await canvas.tab("Activity");
        await expect(
          canvas
            .part()
            .getByText(/who are you/)
            .first(),
        ).toBeVisible();
      }
    });

    test("a file, the model and the instructions in one save are one restart that says why", async ({
      signedIn: page,
      platform,
    }) => {
      const canvas = new Canvas(page);
      const id = await canvas.idOf("Assistant");
      await canvas.open("Assistant");
      const before = await canvas.attempts(id, platform);

      await canvas.tab("Files");
      await page.getByRole("button", { name: "New file" }).click();
      await page.getByRole("textbox", { name: "Path of the new file" }).fill("plan.md");
      await page.getByRole("button", { name: "Create", exact: true }).click();
      await page.locator(".cm-content").fill("# The plan\n");

      await canvas.tab("Configure");
      await page.getByLabel("Instructions").fill("Answer in one sentence.");
      await canvas.chooseModel("demo-2");
      const writes: string[] = [];
      page.on("request", (request) => {
        if (request.method() === "POST" && request.url().includes("/trpc/"))
          writes.push(request.url());
      });
      await page.getByRole("button", { name: "Apply", exact: true }).click();
      await expect(page.getByText(/changed by/).first()).toBeVisible();
      await canvas.isOnline("Assistant");
      await expect
        .poll(async () => (await canvas.attempts(id, platform)).length)
        .toBe(before.length + 1);
      const [latest] = await canvas.attempts(id, platform);
      expect(latest?.detail.sentence).toMatch(/model.*file|file.*model|settings.*file/i);
      expect(writes.filter((url) => url.includes("config.save"))).toHaveLength(1);

      await canvas.tab("Chat");
      await canvas.say("Assistant", "which model and instructions are you running with");
      await expect(canvas.lastAnswer("Assistant")).toContainText("demo-2");
      await expect(canvas.lastAnswer("Assistant")).toContainText("Answer in one sentence.");
    });

    test("an agent that runs elsewhere is connected, and each step is ticked off while it happens", async ({
      signedIn: page,
      platform,
    }) => {
      const canvas = new Canvas(page);
      await page.getByRole("button", { name: "New agent" }).first().click();
      await page.getByRole("radio", { name: /^Bring your own agent/ }).click();
      await page.getByRole("textbox", { name: "Name" }).fill("Laptop");
      await page.getByRole("button", { name: "Create agent" }).click();
      const dialog = page.getByRole("dialog", { name: "Connect Laptop" });
      const steps = dialog.getByRole("list", { name: "Steps of the connection" });
      await expect(steps.getByText("Token issued: done")).toBeVisible();
      await expect(steps.getByText("Registered: missing")).toBeVisible();
      for (const way of ["MCP", "Python", "TypeScript", "curl"]) {
        await dialog.getByRole("tab", { name: way }).click();
        await expect(dialog.getByRole("button", { name: `Copy ${way}` })).toBeVisible();
      }
      const snippet = await dialog.locator("pre").filter({ hasText: "TOKEN='" }).textContent();
      const [, id = "", token = ""] = /ID='(\S+)' TOKEN='(\S+)'/.exec(snippet ?? "") ?? [];
      const requests: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      const send = async (path: string, body: unknown) => {
        const answer = await fetch(`${platform.url}${path}`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body: JSON.stringify(body),
        });
        return answer.status;
      };
      const card = { id, url: "", delivery_mode: "poll", agent_card: { name: "laptop" } };
      expect(await send("/registry/register", card)).toBe(200);
      await expect(steps.getByText("Registered: done")).toBeVisible();
      expect(await send("/registry/heartbeat", { workspace_id: id })).toBe(200);
      await expect(steps.getByText("First heartbeat: done")).toBeVisible();
      // What it shows came with the events: nobody has asked how far the agent is.
      expect(requests.filter((url) => /snapshot|workspaces\.(list|get)|tokens/.test(url))).toEqual(
        [],
      );

      await page.reload();
      await expect(dialog).toBeHidden();
      const panel = canvas.part().getByRole("region", { name: "Connection" });
      await expect(panel).toContainText("3 of 4 done");
      await expect(panel).toContainText("Write to it in the chat");

      await panel.getByRole("button", { name: "Rotate token…" }).press("Enter");
      const rotate = page.getByRole("dialog", { name: "Rotate the token of Laptop?" });
      await expect(rotate).toContainText("ends at once");
      await rotate.getByRole("button", { name: "Rotate token" }).press("Enter");
      await expect(steps.getByText("Registered: missing")).toBeVisible();
      expect(await send("/registry/heartbeat", { workspace_id: id })).toBe(401);
      await page.keyboard.press("Escape");
      await expect(dialog.getByRole("alert")).toContainText("has not been copied");
      await page.keyboard.press("Escape");
      await expect(dialog).toBeHidden();

      await canvas.menu("Laptop", "Restart");
      await expect(page.getByText(/runs outside the platform/).first()).toBeVisible();
      await platform.call("DELETE", `/workspaces/${id}?confirm=true`);
    });

    test("pausing, resuming, sleeping, restarting and deleting do what they say", async ({
      signedIn: page,
      platform,
    }) => {
      const canvas = new Canvas(page);
      await canvas.open("Researcher");
      await canvas.tab("Chat");
      await canvas.menu("Researcher", "Pause");
      await expect(canvas.card("Researcher")).toContainText("Paused");
      const id = await canvas.idOf("Researcher");
      await canvas.menu("Researcher", "Resume");
      // A pause that was still stopping it: only the next start says that it is up again.
      await expect
        .poll(async () => (await canvas.attempts(id, platform))[0])
        .toMatchObject({ no: 2, outcome: "ready" });
      await canvas.isOnline("Researcher");
      await canvas.menu("Researcher", "Sleep until a message");
      await expect(canvas.card("Researcher")).toContainText("Wakes on a message");
      await canvas.say("Researcher", "who are you");
      await expect(canvas.lastAnswer("Researcher")).toContainText(/demo agent/i, {
        timeout: 30_000,
      });
      await canvas.isOnline("Researcher");
      const before = await canvas.attempts(id, platform);
      await canvas.menu("Researcher", "Restart");
      await expect
        .poll(async () => (await canvas.attempts(id, platform)).length)
        .toBe(before.length + 1);
      await canvas.isOnline("Researcher");

      await canvas.menu("Assistant", "Delete…");
      const dialog = page.getByRole("dialog", { name: /Delete Assistant and 1 more/ });
      await expect(dialog).toContainText("Researcher");
      await dialog.getByRole("button", { name: "Delete 2 agents" }).click();
      await expect(
        page.getByRole("heading", { name: "What should your first agent do?" }),
      ).toBeVisible();
    });
  });
