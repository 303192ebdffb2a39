import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { ROOT } from "../baselines.ts";
import type { Witness } from "./history.ts";

/** A runtime that writes down what it finds before it starts as the reference runtime does. */
export interface WitnessBundle extends AsyncDisposable {
  /** For RUNTIME_BUNDLE. */
  readonly bundle: string;
  /** What every instance so far has found, in no order. */
  read(): Promise<Witness[]>;
}

/** Written with one call, so that an instance killed in the middle leaves a whole report or none. */
const PROGRAM = `
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
const { WORKSPACE_ID, MOLECULE_ATTEMPT, WORKSPACE_CONFIG_PATH, MODEL } = process.env;
if (process.argv[2] !== "fs") {
  const values = {};
  for (const name of readdirSync(WORKSPACE_CONFIG_PATH)) {
    if (/^note-.*\\.md/.test(name)) values["file " + name] = readFileSync(WORKSPACE_CONFIG_PATH + "/" + name, "utf8");
  }
  const prompt = readFileSync(WORKSPACE_CONFIG_PATH + "/system-prompt.md", "utf8");
  if (prompt.startsWith("value ")) values["setting instructions"] = prompt;
  if (MODEL !== undefined) values["setting model"] = MODEL;
  for (const [key, value] of Object.entries(process.env)) {
    if (key.startsWith("CHAOS_")) values["secret " + key] = value;
  }
  const report = new URL("reports/" + randomUUID() + ".json", import.meta.url);
  const text = JSON.stringify({ workspaceId: WORKSPACE_ID, attemptNo: Number(MOLECULE_ATTEMPT), values, pid: process.pid, at: Date.now() });
  writeFileSync(new URL(report.href + ".part"), text);
  renameSync(new URL(report.href + ".part"), report);
}
await import("./runtime.mjs");
`;

/** The program and a copy of the reference runtime, where the users that agents run as can reach them. */
export async function makeWitnessBundle(): Promise<WitnessBundle> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "molecule-witness-"));
  await chmod(folder, 0o755);
  const reports = path.join(folder, "reports");
  await mkdir(reports);
  await chmod(reports, 0o1777);
  const bundle = path.join(folder, "witness.mjs");
  const runtime = path.join(ROOT, "apps/runtime/dist/runtime.mjs");
  await copyFile(runtime, path.join(folder, "runtime.mjs")).catch((cause: unknown) => {
    throw new Error("The product is not built yet; `npm start` builds it.", { cause });
  });
  await writeFile(bundle, PROGRAM, { mode: 0o644 });
  return {
    bundle,
    read: async () => {
      const names = (await readdir(reports)).filter((name) => name.endsWith(".json"));
      const texts = await Promise.all(
        names.map((name) => readFile(path.join(reports, name), "utf8")),
      );
      return texts.map((text) => JSON.parse(text) as Witness);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
