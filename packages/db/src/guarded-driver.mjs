import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** What is changed in the driver's `connection.js`, and what it becomes. */
const GUARDS = /** @type {const} */ ([
  // A statement on a connection that has just broken inside a transaction fails like any other, instead
  // of ending the process from a timer. Source: https://github.com/porsager/postgres/issues/1208.
  [
    "    const x = socket.write(chunk, fn)\n",
    `    if (socket === null) {
      clearImmediate(nextWriteTimer)
      chunk = nextWriteTimer = null
      error(Errors.connection('CONNECTION_CLOSED', options))
      return false
    }
    const x = socket.write(chunk, fn)
`,
  ],
  // A connection that breaks while it asks for the types rejects a promise that nobody holds, which ends
  // the process; what the connection was opened for is told by its end.
  [
    "        return fetchArrayTypes()\n",
    "        return fetchArrayTypes().catch(() => undefined)\n",
  ],
]);

/** The file of the driver that is guarded. */
export const GUARDED_FILE = /[\\/]postgres[\\/]src[\\/]connection\.js$/;

/**
 * The driver's `connection.js` with its guards, open upstream as of 3.4.9. A driver without the lines
 * fails whoever asks, so that the guards are looked at again.
 * @param {string} source
 * @param {string} path
 */
export function guarded(source, path) {
  let text = source;
  for (const [before, after] of GUARDS) {
    if (text.split(before).length !== 2) {
      throw new Error(`${path} no longer has the line that is guarded here: ${before.trim()}`);
    }
    text = text.replace(before, () => after);
  }
  return text;
}

/** Bundles the guarded driver. */
export const guardedDriver = {
  name: "guarded-driver",
  /** @param {import("esbuild").PluginBuild} bundle */
  setup(bundle) {
    bundle.onResolve({ filter: /^postgres$/ }, () => ({
      path: fileURLToPath(import.meta.resolve("postgres")),
    }));
    bundle.onLoad({ filter: GUARDED_FILE }, async ({ path }) => ({
      contents: guarded(await readFile(path, "utf8"), path),
      loader: "js",
    }));
  },
};
