/** `npm run rotate-key`: seals every stored secret with a new key while the platform runs. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { resolveHome } from "./home.mjs";
import { ROOT } from "./prepare.mjs";
import { Refusal } from "./refusal.mjs";
import { readSettings } from "./settings.mjs";
import { URL_FILE } from "./start.mjs";

/**
 * What `packages/db` says of a rotation.
 * @typedef {{ kind: "rotated" | "resumed", moved: number, unreadable: readonly string[], isDropped: boolean }} Rotation
 */

/** So many records more are one line more. */
const LINE_EVERY = 1_000;

async function rotate() {
  if (existsSync(join(ROOT, ".env"))) process.loadEnvFile(join(ROOT, ".env"));
  const settings = readSettings(process.env);
  const isRoot = process.getuid?.() === 0;
  const { folder: home } = resolveHome({ given: settings.home, root: ROOT, isRoot });
  const urlFile = join(home, URL_FILE);
  const url =
    settings.databaseUrl ?? (existsSync(urlFile) ? readFileSync(urlFile, "utf8").trim() : "");
  const program = join(ROOT, "apps/server/dist/rotate-key.js");
  if (url === "" || !existsSync(program)) {
    throw new Refusal(
      `Molecule does not run on the data folder ${home}.`,
      "Start it with npm start and run this beside it; nothing is interrupted.",
    );
  }
  /** @type {{ rotateKey: (input: object) => Promise<Rotation> }} */
  const { rotateKey } = await import(pathToFileURL(program).href);
  let told = 0;
  const done = await rotateKey({
    url,
    source: { key: process.env.SECRETS_ENCRYPTION_KEY, keyFile: join(home, "secrets.key") },
    tokenKeyFile: join(home, "token.key"),
    onProgress: (/** @type {number} */ moved) => {
      if (moved < told + LINE_EVERY) return;
      told = moved;
      say(`${moved} secrets are sealed with the new key`);
    },
  });
  report(done);
}

/** @param {Rotation} done */
function report({ kind, moved, unreadable, isDropped }) {
  if (kind === "resumed") say("A rotation that had been broken off was finished.");
  say(`${moved} secrets were sealed with the new key; nothing is left under the old one.`);
  if (unreadable.length > 0) {
    say(`${unreadable.length} could be read with no key and must be entered again:`);
    for (const place of unreadable) say(`  ${place}`);
  }
  say(
    isDropped
      ? "The old key was removed. A backup from before needs the key file that is in that backup."
      : "The old key can be taken out of SECRETS_ENCRYPTION_KEY with the next restart.",
  );
}

/** @param {string} line */
function say(line) {
  process.stdout.write(`${line}\n`);
}

try {
  await rotate();
} catch (error) {
  if (!(error instanceof Error && "next" in error)) throw error;
  process.stderr.write(`${error.message}\n${error.next ?? ""}\n`);
  process.exitCode = 1;
}
