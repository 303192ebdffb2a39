import { existsSync } from "node:fs";

/** What a browser is started with in tests and measurements. */
export interface ChromiumOptions {
  /** Absent: Playwright's own. */
  readonly executablePath?: string;
  readonly args: string[];
}

/** A browser that is already here: named, the system's, or Playwright's own. Nothing is downloaded. */
export function chromiumOptions(): ChromiumOptions {
  const executablePath = [
    process.env.CHROMIUM_PATH,
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
  ].find((candidate) => candidate !== undefined && existsSync(candidate));
  return {
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  };
}
