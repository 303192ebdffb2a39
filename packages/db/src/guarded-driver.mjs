import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const UNGUARDED = "    const x = socket.write(chunk, fn)\n";
const GUARDED = `    if (socket === null) {
      clearImmediate(nextWriteTimer)
      chunk = nextWriteTimer = null
      error(Errors.connection('CONNECTION_CLOSED', options))
      return false
    }
${UNGUARDED}`;

/**
 * Bundles the Postgres driver with one guard added: a statement on a connection that has just broken
 * inside a transaction fails like any other, instead of ending the process from a timer that nobody can
 * catch. Source: https://github.com/porsager/postgres/issues/1208, open as of 3.4.9. A driver without
 * that line fails the build, so that the guard is looked at again.
 */
export const guardedDriver = {
  name: "guarded-driver",
  /** @param {import("esbuild").PluginBuild} bundle */
  setup(bundle) {
    bundle.onResolve({ filter: /^postgres$/ }, () => ({
      path: fileURLToPath(import.meta.resolve("postgres")),
    }));
    bundle.onLoad({ filter: /[\\/]postgres[\\/]src[\\/]connection\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      if (source.split(UNGUARDED).length !== 2) {
        throw new Error(`${path} no longer has the line that is guarded here.`);
      }
      return { contents: source.replace(UNGUARDED, () => GUARDED), loader: "js" };
    });
  },
};
