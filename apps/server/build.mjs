import { build } from "esbuild";
import { guardedDriver } from "../../packages/db/src/guarded-driver.mjs";

/** Installed packages stay imports; this repository's packages are bundled. */
const installedPackages = {
  name: "installed-packages",
  /** @param {import("esbuild").PluginBuild} bundle */
  setup(bundle) {
    bundle.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      path.startsWith("@molecule/") || kind === "entry-point"
        ? undefined
        : { path, external: true },
    );
  },
};

await build({
  entryPoints: {
    main: "src/main.ts",
    migrate: "../../packages/db/src/migrate.ts",
    "rotate-key": "../../packages/db/src/secrets/rotate-key.ts",
  },
  outdir: process.argv[2] ?? "dist",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  logLevel: "warning",
  plugins: [guardedDriver, installedPackages],
  // What /buildinfo answers; empty when the build was not told.
  define: { BUILD_GIT_SHA: JSON.stringify(process.env.GIT_SHA ?? "") },
});
