/** `npm run link`: prints another one-time sign-in link of the platform that runs on this data folder. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { resolveHome } from "./home.mjs";
import { readHolder } from "./lock.mjs";
import { ROOT } from "./prepare.mjs";
import { isRunning } from "./processes.mjs";
import { Refusal } from "./refusal.mjs";
import { readSettings } from "./settings.mjs";
import { lockFileOf, URL_FILE } from "./start.mjs";

async function printLink() {
  if (existsSync(join(ROOT, ".env"))) process.loadEnvFile(join(ROOT, ".env"));
  const settings = readSettings(process.env);
  const isRoot = process.getuid?.() === 0;
  const { folder: home } = resolveHome({ given: settings.home, root: ROOT, isRoot });
  const holder = readHolder(lockFileOf(home));
  const urlFile = join(home, URL_FILE);
  if (holder === undefined || holder === "gone" || !isRunning(holder) || !existsSync(urlFile)) {
    throw new Refusal(
      `Molecule does not run on the data folder ${home}.`,
      "Start it with npm start; it prints a link. If it runs on another folder, set MOLECULE_HOME.",
    );
  }
  const { createSignInLink } = await import("./sign-in.mjs");
  const origin = holder.note ?? "";
  const link = await createSignInLink(readFileSync(urlFile, "utf8").trim(), origin);
  process.stdout.write(`${link}\n`);
}

try {
  await printLink();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`${error.message}\n${error.next}\n`);
  process.exitCode = 1;
}
