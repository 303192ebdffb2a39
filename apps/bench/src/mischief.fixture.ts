import { chmod, copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { ROOT } from "./baselines.ts";

/** A runtime whose agents misbehave by name, until the file `healed` lies beside it. */
export interface Mischief extends AsyncDisposable {
  /** For RUNTIME_BUNDLE. */
  readonly bundle: string;
  /** The cause is gone: whatever starts from now on behaves. */
  heal(): Promise<void>;
  /** From now on `Flooder` floods, once. */
  flood(): Promise<void>;
}

/**
 * `Silent` never registers, `Quitter` ends at once, `Flooder` notifies 200 times once it is told
 * to; every other name, and all file operations, are the reference runtime's.
 */
const PROGRAM = `
import { existsSync, readFileSync, writeFileSync } from "node:fs";
const { WORKSPACE_NAME, WORKSPACE_ID, WORKSPACE_DIR_PATH, WORKSPACE_CONFIG_PATH, PLATFORM_URL } = process.env;
const lies = (name) => existsSync(new URL(name, import.meta.url));
const isIll = process.argv[2] !== "fs" && !lies("healed");

async function flood() {
  const token = readFileSync(WORKSPACE_CONFIG_PATH + "/.auth_token", "utf8").trim();
  const counts = {};
  for (let sent = 0; sent < 200; sent += 1) {
    const answer = await fetch(PLATFORM_URL + "/workspaces/" + WORKSPACE_ID + "/notify", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer " + token },
      body: JSON.stringify({ message: "flood " + sent }),
    }).catch(() => ({ status: 0, text: async () => "" }));
    await answer.text();
    counts[answer.status] = (counts[answer.status] ?? 0) + 1;
  }
  writeFileSync(WORKSPACE_DIR_PATH + "/flood.json", JSON.stringify(counts));
}

if (isIll && WORKSPACE_NAME === "Silent") {
  setInterval(() => undefined, 1_000_000);
} else if (isIll && WORKSPACE_NAME === "Quitter") {
  console.error("the licence has run out");
  process.exit(3);
} else {
  if (isIll && WORKSPACE_NAME === "Flooder") {
    const timer = setInterval(() => {
      if (!lies("flood")) return;
      clearInterval(timer);
      void flood();
    }, 50);
  }
  await import("./runtime.mjs");
}
`;

/** The program and a copy of the reference runtime, where the users that agents run as can read them. */
export async function makeMischief(): Promise<Mischief> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "molecule-mischief-"));
  await chmod(folder, 0o755);
  const bundle = path.join(folder, "mischief.mjs");
  await copyFile(
    path.join(ROOT, "apps/runtime/dist/runtime.mjs"),
    path.join(folder, "runtime.mjs"),
  );
  await writeFile(bundle, PROGRAM, { mode: 0o644 });
  const put = (name: string) => writeFile(path.join(folder, name), "", { mode: 0o644 });
  return {
    bundle,
    heal: () => put("healed"),
    flood: () => put("flood"),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
