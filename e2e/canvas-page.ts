import type { AttemptView } from "@molecule/contracts/workspaces";
import { expect, type Locator, type Page } from "@playwright/test";
import type { Platform } from "./product-fixture.ts";

/** The canvas as a person uses it: by names, roles and visible words. */
export class Canvas {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  #cards(): Locator {
    return this.#page.getByRole("application", { name: "Canvas" });
  }

  /** The card of an agent, or the header of its team. */
  card(name: string): Locator {
    return this.#cards()
      .getByRole("article", { name: new RegExp(`^${name}, `) })
      .first();
  }

  /** Its line in the tree on the left. */
  line(name: string): Locator {
    return this.#page.getByRole("treeitem", { name: new RegExp(`^${name}`) });
  }

  /** Waits until the card says that the agent is online. */
  async isOnline(name: string): Promise<void> {
    await expect(
      this.#cards()
        .getByRole("article", { name: new RegExp(`^${name}, online`, "i") })
        .first(),
    ).toBeVisible({
      timeout: 45_000,
    });
  }

  /** Opens the agent's panel. */
  async open(name: string): Promise<void> {
    await this.line(name).click();
    await expect(this.#page.getByRole("heading", { name, exact: true })).toBeVisible();
  }

  async tab(name: "Chat" | "Activity" | "Overview" | "Files" | "Configure"): Promise<void> {
    await this.#page.getByRole("tab", { name: new RegExp(`^${name}`) }).click();
  }

  /** The part of the panel that is shown. */
  part(): Locator {
    return this.#page.getByRole("tabpanel").filter({ visible: true });
  }

  /** Chooses a verb from the card's own menu. */
  async menu(name: string, verb: string): Promise<void> {
    await this.line(name).click({ button: "right" });
    await this.#page.getByRole("menuitem", { name: verb }).click();
  }

  async say(name: string, text: string): Promise<void> {
    const composer = this.#page.getByRole("textbox", { name: `Message ${name}` });
    await composer.fill(text);
    await composer.press("Enter");
  }

  lastAnswer(name: string): Locator {
    return this.#page.getByRole("article", { name: `${name} answered` }).last();
  }

  /** Opens a file of the tree and replaces its text; the edit stays a draft. */
  async editFile(path: string, content: string): Promise<void> {
    const back = this.#page.getByRole("button", { name: "Back to files" });
    if (await back.isVisible()) await back.click();
    const name = path.split("/").at(-1) ?? path;
    await this.part()
      .getByRole("button", { name: new RegExp(`^${name}`) })
      .click();
    const editor = this.#page.getByRole("region", { name: path }).locator(".cm-content");
    await editor.fill(content);
    await expect(this.#page.getByRole("region", { name: path })).toContainText(
      "has unsaved changes",
    );
  }

  /** Chooses a model of the template, or types its name. */
  async chooseModel(model: string): Promise<void> {
    const select = this.#page.getByLabel("Model", { exact: true });
    const known = await select.locator(`option[value="${model}"]`).count();
    if (known > 0) return void (await select.selectOption(model));
    await select.selectOption({ label: "Another model…" });
    await this.#page.getByRole("textbox", { name: "Model name" }).fill(model);
  }

  /** The id that the address bar shows once the agent is open. */
  async idOf(name: string): Promise<string> {
    await this.open(name);
    const id = /\/w\/([0-9a-f-]{36})/.exec(this.#page.url())?.[1];
    if (id === undefined) throw new Error(`no id in ${this.#page.url()}`);
    return id;
  }

  /** The ledger of its attempts, newest first. */
  async attempts(id: string, platform: Platform): Promise<AttemptView[]> {
    const input = encodeURIComponent(JSON.stringify({ id }));
    const answer = await platform.call<{ result: { data: AttemptView[] } }>(
      "GET",
      `/trpc/workspaces.attempts?input=${input}`,
    );
    return answer.result.data;
  }
}
