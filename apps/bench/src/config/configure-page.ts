import { chromiumOptions } from "@molecule/testing/chromium";
import { type Browser, chromium, type Locator, type Page } from "@playwright/test";
import type { Platform } from "../platform.ts";
import type { DelayingProxy } from "./delaying-proxy.ts";

declare global {
  interface Window {
    /** Milliseconds from the press on the tab until everything of it stood there. */
    moleculeOpened?: Promise<number>;
  }
}

/** Longest wait for anything of the page, in ms. */
const BOUND_MS = 30_000;

/** The canvas in a browser, behind the delay, with one agent's chat open. */
export class ConfigurePage implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #page: Page;
  readonly #proxy: DelayingProxy;

  private constructor(browser: Browser, page: Page, proxy: DelayingProxy) {
    this.#browser = browser;
    this.#page = page;
    this.#proxy = proxy;
  }

  /** Resolves when the page is signed in. */
  static async open(platform: Platform, proxy: DelayingProxy): Promise<ConfigurePage> {
    const browser = await chromium.launch(chromiumOptions());
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    // The compiler of this program names functions by a helper that the page does not have.
    await page.addInitScript({ content: "globalThis.__name = (named) => named;" });
    const link = await platform.call<{ url: string }>("POST", "/admin/sign-in-links", {});
    const { pathname, search } = new URL(link.url);
    await page.goto(`${proxy.url}${pathname}${search}`);
    await page.waitForURL(`${proxy.url}/`);
    return new ConfigurePage(browser, page, proxy);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }

  /** A page that knows nothing of the configuration yet, and asks for nothing any more. */
  async begin(id: string, name: string): Promise<void> {
    await this.#page.mouse.move(0, 0);
    await this.#page.goto(`${this.#proxy.url}/w/${id}/chat`);
    await this.#page.getByRole("textbox", { name: `Message ${name}` }).waitFor();
    await this.#page.getByText("Live", { exact: true }).waitFor();
    // What the page fetches by itself after its first draw is not part of what is measured.
    await this.#page.waitForLoadState("networkidle");
    await this.#untilQuiet();
    this.#proxy.calls.length = 0;
  }

  /** Rests on the tab until what that fetched is there; the calls of it. */
  async hover(): Promise<number> {
    await this.#tab().hover();
    const deadline = performance.now() + 2_000;
    while (this.#proxy.calls.length === 0 && performance.now() < deadline) await rest(20);
    await this.#untilQuiet();
    return this.#proxy.calls.splice(0).length;
  }

  /** Presses the tab; from there until all its parts stand on the screen, and the calls of it. */
  async press(): Promise<{ readonly ms: number; readonly calls: number }> {
    const tab = this.#tab();
    await tab.evaluate((element, boundMs) => {
      window.moleculeOpened = new Promise((resolve, reject) => {
        const onPress = (press: Event) => {
          const look = () => {
            const panel = [...document.querySelectorAll("[role=tabpanel]")].find(
              (one) => one.getAttribute("data-state") === "active",
            );
            const text = panel?.textContent ?? "";
            if (panel?.querySelector("[role=alert]")) {
              reject(new Error("a part of Configure could not be loaded"));
              return;
            }
            const isThere =
              panel?.querySelector("textarea") &&
              ["Add secret", "Add schedule", "None yet. What the agent keeps"].every((part) =>
                text.includes(part),
              );
            // Drawn is what stands there one frame later.
            if (isThere) {
              requestAnimationFrame(() => resolve(performance.now() - press.timeStamp));
            } else if (performance.now() - press.timeStamp > boundMs) {
              reject(new Error(`Configure did not open: ${text.slice(0, 400)}`));
            } else requestAnimationFrame(look);
          };
          look();
        };
        element.addEventListener("mousedown", onPress, { once: true, capture: true });
      });
      window.moleculeOpened.catch(() => undefined);
    }, BOUND_MS);
    await tab.click();
    const ms = await this.#page.evaluate(
      () => window.moleculeOpened ?? Promise.reject(new Error()),
    );
    await this.#untilQuiet();
    return { ms, calls: this.#proxy.calls.splice(0).length };
  }

  /**
   * What the predecessor's page asked for to open its Config, by the same routes, in its order: seven
   * calls, four deep. Without anything drawn. Source: canvas.md §3.2.
   */
  async askAsPredecessor(id: string): Promise<{ readonly ms: number; readonly calls: number }> {
    const ms = await this.#page.evaluate(async (workspaceId) => {
      const get = async (path: string) => {
        const answer = await fetch(path);
        if (!answer.ok) throw new Error(`GET ${path}: ${answer.status}`);
        return await answer.text();
      };
      const workspace = `/workspaces/${workspaceId}`;
      const started = performance.now();
      await get(workspace);
      await get(`${workspace}/model`);
      await get(`${workspace}/files/config.yaml`);
      const last = [`${workspace}/secrets`, "/settings/secrets", workspace, "/templates"];
      await Promise.all(last.map(get));
      return performance.now() - started;
    }, id);
    return { ms, calls: this.#proxy.calls.splice(0).length };
  }

  #tab(): Locator {
    return this.#page.getByRole("tab", { name: /^Configure/ });
  }

  async #untilQuiet(): Promise<void> {
    const deadline = performance.now() + BOUND_MS;
    let quietSince = performance.now();
    while (performance.now() - quietSince < 150) {
      if (this.#proxy.waiting() > 0) quietSince = performance.now();
      if (performance.now() > deadline) throw new Error("the page does not stop asking");
      await rest(10);
    }
  }
}

async function rest(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
