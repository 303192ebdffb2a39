import { chmod } from "node:fs/promises";
import { build } from "esbuild";

/** One file with everything in it: an instance has no node_modules. */
await build({
  entryPoints: ["src/main.ts"],
  outfile: "dist/runtime.mjs",
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
await chmod(new URL("dist/runtime.mjs", import.meta.url), 0o755);
