import { build } from "esbuild";

// One file with everything in it: it is copied into containers and folders that have no packages.
await build({
  entryPoints: { runtime: "src/main.ts" },
  outdir: "dist",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  logLevel: "warning",
  banner: {
    // Bundled CommonJS packages call require for Node's own modules.
    js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
  },
});
