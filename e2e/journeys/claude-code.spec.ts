import { readFile } from "node:fs/promises";
import path from "node:path";
import { type ScriptedModel, startScriptedModel } from "@molecule/testing/scripted-model";
import { expect } from "@playwright/test";
import { Canvas } from "../canvas-page.ts";
import { linkRealAgent, processesOf } from "../linked-agent.ts";
import { removeAll, test } from "../product-fixture.ts";

const KEY = "sk-ant-scripted-0000000000000000";
const CODY = "Cody";

/** What the model said; the same words stand behind `@say` while the turn runs. */
const said = (text: string) => new RegExp(`(?<!@say )${text}`);

/** The real agent from npm in the whole product. Its model is scripted, on loopback. */
test.describe
  .serial("a real coding agent", () => {
    let model: ScriptedModel;
    let id = "";

    test.beforeAll(async ({ platform }) => {
      test.setTimeout(320_000);
      const isHere = await linkRealAgent(platform.home);
      // biome-ignore lint/suspicious/noSkippedTests: only where npm cannot install the package, and loudly
      test.skip(!isHere, "the real agent's package is not on this machine");
      model = await startScriptedModel();
      await removeAll(platform);
    });
    test.afterAll(async () => {
      await model?.stop();
    });

    const asked = (directive: string) =>
      model.requests.findLast(
        (request) => request.directive === directive && request.toolNames.length > 0,
      );

    test("without its key nothing starts and the card names it; entering it is enough", async ({
      signedIn: page,
      platform,
    }) => {
      const created = await platform.call<{ id: string }>("POST", "/workspaces", {
        name: CODY,
        template: "coder",
        secrets: { ANTHROPIC_BASE_URL: model.url, MY_OWN_KEY: "for the agent" },
      });
      id = created.id;
      const canvas = new Canvas(page);
      await expect(canvas.card(CODY)).toContainText("ANTHROPIC_API_KEY is not set");
      expect(await canvas.attempts(id, platform)).toEqual([]);
      expect(await processesOf(id)).toEqual([]);

      await canvas.open(CODY);
      await canvas.tab("Configure");
      await page.getByRole("button", { name: "Set ANTHROPIC_API_KEY" }).click();
      await page.getByLabel("New value of ANTHROPIC_API_KEY").fill(KEY);
      await page.getByRole("button", { name: "Apply", exact: true }).click();
      await canvas.isOnline(CODY);
    });

    test("a turn writes a file in the workspace, with the key and the model that were set", async ({
      signedIn: page,
      platform,
    }) => {
      const folder = path.join(platform.home ?? "", "workspaces", id, "workspace");
      const canvas = new Canvas(page);
      await canvas.open(CODY);
      const input = JSON.stringify({
        file_path: path.join(folder, "notes.md"),
        content: "made by the agent\n",
      });
      await canvas.say(CODY, `@tool Write ${input}`);
      await expect(canvas.lastAnswer(CODY)).toContainText("The tool answered");
      expect(await readFile(path.join(folder, "notes.md"), "utf8")).toBe("made by the agent\n");
      expect(asked(`@tool Write ${input}`)).toMatchObject({ keyHeader: "x-api-key" });

      await canvas.tab("Files");
      await page.getByText("Workspace", { exact: true }).click();
      await expect(page.getByRole("button", { name: /notes\.md/ })).toBeVisible();
    });

    test("its environment has the workspace's secrets and no credential of the platform", async ({
      signedIn: page,
      platform,
    }) => {
      const home = path.join(platform.home ?? "", "workspaces", id);
      const canvas = new Canvas(page);
      await canvas.open(CODY);
      await canvas.say(CODY, '@tool Bash {"command":"env > env.txt","description":"look"}');
      await expect(canvas.lastAnswer(CODY)).toContainText("The tool answered");
      const seen = await readFile(path.join(home, "workspace", "env.txt"), "utf8");
      expect(seen).toContain("MY_OWN_KEY=for the agent");
      const hidden = [platform.adminToken];
      for (const file of [".auth_token", ".platform_inbound_secret"]) {
        hidden.push((await readFile(path.join(home, "configs", file), "utf8")).trim());
      }
      for (const credential of hidden) expect(seen).not.toContain(credential);
      expect(seen).not.toMatch(/DATABASE_URL|PLATFORM_URL|ADMIN_TOKEN/);
    });

    test("it delegates through the platform's tools, and both sides see it", async ({
      signedIn: page,
      platform,
    }) => {
      await platform.call("POST", "/workspaces", { name: "Bob", runtime: "demo", parent_id: id });
      const canvas = new Canvas(page);
      await canvas.isOnline("Bob");
      await canvas.open(CODY);
      await canvas.say(
        CODY,
        '@tool mcp__platform__delegate_task {"peer":"Bob","task":"who are you"}',
      );
      await expect(canvas.lastAnswer(CODY)).toContainText("Bob, a demo agent", { timeout: 30_000 });
      for (const name of [CODY, "Bob"]) {
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

    test("it shows a message to the person while it works", async ({ signedIn: page }) => {
      const canvas = new Canvas(page);
      await canvas.open(CODY);
      await canvas.tab("Chat");
      await canvas.say(
        CODY,
        '@tool mcp__platform__send_message_to_user {"message":"half of it is done"}',
      );
      await expect(canvas.part().getByText("half of it is done", { exact: true })).toBeVisible();
    });

    test("the card says what it works on, and Stop in the chat ends the turn", async ({
      signedIn: page,
    }) => {
      const canvas = new Canvas(page);
      await canvas.open(CODY);
      await canvas.say(CODY, "@slow 600");
      await expect(canvas.lastAnswer(CODY)).toContainText("tick2");
      await expect(canvas.card(CODY)).toContainText("@slow 600");
      await page.getByRole("button", { name: "Stop", exact: true }).click();
      await expect(canvas.lastAnswer(CODY)).toContainText("Stopped before it was finished");
      await canvas.say(CODY, "@say at your service");
      await expect(canvas.lastAnswer(CODY)).toContainText(said("at your service"));
    });

    for (const [status, sentence] of [
      [401, "did not accept the key"],
      [429, "limiting requests"],
      [529, "could not be reached or had an error of its own"],
    ] as const) {
      test(`an error ${status} of the model is a plain sentence in the chat`, async ({
        signedIn: page,
      }) => {
        const canvas = new Canvas(page);
        await canvas.open(CODY);
        await canvas.say(CODY, `@err ${status}`);
        const answer = canvas.lastAnswer(CODY);
        await expect(answer.getByRole("alert")).toContainText(sentence);
        await expect(answer).not.toContainText(`API Error`);
      });
    }

    test("it remembers the conversation over a restart", async ({ signedIn: page, platform }) => {
      const canvas = new Canvas(page);
      await canvas.open(CODY);
      await canvas.say(CODY, "@say the word is ALBATROSS");
      await expect(canvas.lastAnswer(CODY)).toContainText(said("the word is ALBATROSS"));
      const before = await canvas.attempts(id, platform);
      await canvas.menu(CODY, "Restart");
      await expect
        .poll(async () => (await canvas.attempts(id, platform)).at(0))
        .toMatchObject({ no: before.length + 1, outcome: "ready" });
      await canvas.say(CODY, "@hist");
      await expect(canvas.lastAnswer(CODY)).toContainText("assistant: the word is ALBATROSS");
    });

    test("a new model and new instructions are one restart, and the model endpoint sees them", async ({
      signedIn: page,
      platform,
    }) => {
      const canvas = new Canvas(page);
      await canvas.open(CODY);
      const before = await canvas.attempts(id, platform);
      await canvas.tab("Configure");
      await page.getByLabel("Instructions").fill("Speak like a pirate.");
      await canvas.chooseModel("scripted-9");
      await page.getByRole("button", { name: "Apply", exact: true }).click();
      await expect
        .poll(async () => (await canvas.attempts(id, platform)).at(0), { timeout: 30_000 })
        .toMatchObject({ no: before.length + 1, outcome: "ready" });
      await canvas.tab("Chat");
      await canvas.say(CODY, "@say aye aye captain");
      await expect(canvas.lastAnswer(CODY)).toContainText(said("aye aye captain"));
      expect(asked("@say aye aye captain")?.model).toBe("scripted-9");
      // Said in the continued conversation, and first in every new one.
      expect(asked("@say aye aye captain")?.conversation).toContain("Speak like a pirate.");
    });

    test("pausing in the middle of a command leaves nothing running", async ({
      signedIn: page,
    }) => {
      const canvas = new Canvas(page);
      await canvas.open(CODY);
      const command = "setsid sleep 98765 & tail -f /dev/null | cat";
      await canvas.say(CODY, `@tool Bash {"command":"${command}","description":"wait"}`);
      await expect
        .poll(async () => (await processesOf(id)).filter((line) => /98765|tail/.test(line)).length)
        .toBeGreaterThan(1);
      await canvas.menu(CODY, "Pause");
      await expect(canvas.card(CODY)).toContainText("Paused");
      await expect.poll(() => processesOf(id), { timeout: 30_000 }).toEqual([]);
    });
  });
