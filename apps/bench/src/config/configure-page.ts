import { chromiumOptions } from "@molecule/testing/chromium";
import { type Browser, chromium, type Locator, type Page } from "@playwright/test";
import type { Platform } from "../platform.ts";
import type { DelayingProxy } from "./delaying-proxy.ts";

/** Milliseconds from the press on the tab. */
export interface Opened {
  /** Until everything of Configure that is seen stood there with its real values, to be edited. */
  readonly seenMs: number;
  /** Until also everything below the fold stood there. */
  readonly wholeMs: number;
}

declare global {
  interface Window {
    moleculeOpened?: Promise<Opened>;
  }
}

/** Longest wait for anything of the page, in ms. */
const BOUND_MS = 30_000;
/** What is not seen has to be there this long after what is, in ms. */
const WHOLE_WITHIN_MS = 1_000;
/** What stands below the fold, and in which order. */
const BELOW = [
  "Add secret",
  "Add schedule",
  "None yet. What the agent keeps",
  "History",
  "Agent card",
  "Delete this agent",
];

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

  /**
   * Presses the tab; from there until what is seen and until all of it stands on the screen, and the calls
   * of it. Seen is whatever lies in the window: the form with the saved instructions, which can be edited,
   * and each section that reaches into it, none of which still shows where something will be.
   * @throws Error when a part fails, or the rest does not follow soon.
   */
  async press(instructions: string): Promise<Opened & { readonly calls: number }> {
    const tab = this.#tab();
    await tab.evaluate(watchOpening, {
      instructions,
      below: BELOW,
      boundMs: BOUND_MS,
      wholeWithinMs: WHOLE_WITHIN_MS,
    });
    await tab.click();
    const opened = await this.#page.evaluate(
      () => window.moleculeOpened ?? Promise.reject(new Error()),
    );
    await this.#untilQuiet();
    return { ...opened, calls: this.#proxy.calls.splice(0).length };
  }

  /** Types into the open form, sees that it is an edit, and takes it back. */
  async editAndDiscard(): Promise<void> {
    await this.#page.getByLabel("Instructions").press("End");
    await this.#page.getByLabel("Instructions").pressSequentially("x");
    await this.#page.getByText("1 change").waitFor();
    await this.#page.getByRole("button", { name: "Discard" }).click();
    await this.#page.getByText("1 change").waitFor({ state: "detached" });
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

interface Wanted {
  readonly instructions: string;
  readonly below: readonly string[];
  readonly boundMs: number;
  readonly wholeWithinMs: number;
}

/** Runs in the page: looks at every frame from the press on. Drawn is what stands there one frame later. */
function watchOpening(tab: Element, wanted: Wanted): void {
  const panel = () =>
    [...document.querySelectorAll("[role=tabpanel]")].find(
      (one) => one.getAttribute("data-state") === "active",
    );
  const isSeen = () => {
    const form = panel()?.querySelector("section[aria-label=Settings]");
    const [field, choice] = [form?.querySelector("textarea"), form?.querySelector("select")];
    if (!field || !choice || field.value !== wanted.instructions) return false;
    if (field.disabled || field.readOnly || choice.disabled) return false;
    if ((choice.selectedOptions[0]?.text ?? "") === "") return false;
    const window_ = form?.parentElement?.getBoundingClientRect();
    if (window_ === undefined || window_.height === 0) return false;
    const reachesIn = (one: Element) => {
      const { top, bottom, height } = one.getBoundingClientRect();
      return height > 0 && top < window_.bottom && bottom > window_.top;
    };
    const isFilled = isWhole() || (form?.parentElement?.scrollHeight ?? 0) > window_.height;
    const isWaiting = [...(panel()?.querySelectorAll(".animate-skeleton") ?? [])].some(reachesIn);
    return isFilled && !isWaiting;
  };
  const isWhole = () => {
    const text = panel()?.textContent ?? "";
    const isShown = (part: string) => text.includes(part);
    const last = [...(panel()?.querySelectorAll("h3") ?? [])].at(-1);
    return wanted.below.every(isShown) && (last?.getBoundingClientRect().height ?? 0) > 0;
  };
  window.moleculeOpened = new Promise((resolve, reject) => {
    const onPress = (press: Event) => {
      const since = () => performance.now() - press.timeStamp;
      let seenMs = Number.NaN;
      const look = () => {
        if (panel()?.querySelector("[role=alert]")) {
          return reject(new Error("a part of Configure could not be loaded"));
        }
        if (since() > wanted.boundMs || since() - seenMs > wanted.wholeWithinMs) {
          const text = panel()?.textContent?.slice(0, 400);
          return reject(new Error(`Configure did not open as a whole: ${text}`));
        }
        const [seen, whole] = [Number.isNaN(seenMs) && isSeen(), isWhole()];
        requestAnimationFrame(() => {
          if (seen) seenMs = since();
          if (whole && !Number.isNaN(seenMs)) resolve({ seenMs, wholeMs: since() });
          else look();
        });
      };
      look();
    };
    tab.addEventListener("mousedown", onPress, { once: true, capture: true });
  });
  window.moleculeOpened.catch(() => undefined);
}
