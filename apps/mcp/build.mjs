import path from "node:path";
import { build } from "esbuild";

/** One file with everything in it, so that it runs wherever an agent is. */
await build({
  entryPoints: ["src/main.ts"],
  outfile: path.resolve(import.meta.dirname, process.argv[2] ?? "dist/molecule-mcp.mjs"),
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
