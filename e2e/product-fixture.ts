import { startProduct } from "@molecule/testing/product";
import { test as base, type Page } from "@playwright/test";

/** A platform to test: ours, freshly started, or the one that BASE_URL and ADMIN_TOKEN name. */
export interface Platform {
  readonly url: string;
  readonly adminToken: string;
  /** Folder of its state; absent for a platform that somebody else started. */
  readonly home: string | null;
  /** Process id of its launcher; absent for a platform that somebody else started. */
  readonly launcherPid: number | null;
  /** JSON of a plain HTTP call with the admin token; throws unless 2xx. */
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
}

/** JSON of a plain HTTP call with the admin token. @throws Error unless the answer is 2xx. */
export async function callPlatform<T>(
  platform: { url: string; adminToken: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const response = await fetch(`${platform.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${platform.adminToken}`,
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

/** Signs the page in through a fresh one-time link and lands on the canvas. */
export async function signIn(page: Page, platform: Platform): Promise<void> {
  const link = await platform.call<{ url: string }>("POST", "/admin/sign-in-links", {});
  const { pathname, search } = new URL(link.url);
  await page.goto(`${platform.url}${pathname}${search}`);
  await page.waitForURL(`${platform.url}/`);
}

/** Removes every workspace, so that a journey begins on an empty canvas. */
export async function removeAll(platform: Pick<Platform, "call">): Promise<void> {
  const rows = await platform.call<{ id: string; parent_id: string | null }[]>(
    "GET",
    "/workspaces",
  );
  for (const row of rows.filter((candidate) => candidate.parent_id === null)) {
    await platform.call("DELETE", `/workspaces/${row.id}?confirm=true&purge=true`);
  }
}

export const test = base.extend<{ signedIn: Page }, { platform: Platform }>({
  platform: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's needs from the pattern
    async ({}, use) => {
      const { BASE_URL, ADMIN_TOKEN } = process.env;
      if (BASE_URL !== undefined && ADMIN_TOKEN !== undefined) {
        const given = { url: BASE_URL.replace(/\/$/, ""), adminToken: ADMIN_TOKEN };
        await use({
          ...given,
          home: null,
          launcherPid: null,
          call: (method, path, body) => callPlatform(given, method, path, body),
        });
        return;
      }
      await using product = await startProduct({
        env: {
          MOLECULE_BACKEND: process.env.E2E_BACKEND ?? "process",
          MOLECULE_PROCESS_TERMINAL: "1",
        },
        timeoutMs: 300_000,
      });
      await use({
        url: product.url,
        adminToken: product.adminToken,
        home: product.home,
        launcherPid: product.process.pid ?? null,
        call: (method, path, body) => callPlatform(product, method, path, body),
      });
    },
    { scope: "worker", timeout: 320_000 },
  ],
  signedIn: async ({ page, platform }, use) => {
    await signIn(page, platform);
    await use(page);
  },
});
