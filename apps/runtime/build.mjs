import { chmod } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";

const outfile = path.resolve(import.meta.dirname, process.argv[2] ?? "dist/runtime.mjs");

/** One file with everything in it: an instance has no node_modules. */
await build({
  entryPoints: ["src/main.ts"],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  minifySyntax: true,
  legalComments: "none",
  logLevel: "warning",
  absWorkingDir: import.meta.dirname,
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
});
await chmod(outfile, 0o755);
