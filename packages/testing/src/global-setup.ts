import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { migrate } from "@molecule/db/migrate";
import postgres from "postgres";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Server URL of the tests' Postgres. Its database `molecule_template` is migrated. */
    postgresUrl: string;
  }
}

const ROOT = path.resolve(import.meta.dirname, "../../..");
const TEMPLATE = "molecule_template";

/** Brings up one Postgres for the run (`TEST_DATABASE_URL` or an embedded one) and a template. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL;
  const server = given === undefined ? await startEmbedded() : { url: given, stop: async () => {} };
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined });
  await sql.unsafe(`DROP DATABASE IF EXISTS ${TEMPLATE} WITH (FORCE)`);
  await sql.unsafe(`CREATE DATABASE ${TEMPLATE}`);
  await sql.end();
  const url = new URL(server.url);
  url.pathname = `/${TEMPLATE}`;
  await migrate({ url: url.href, folder: path.join(ROOT, "drizzle") });
  project.provide("postgresUrl", server.url);
  return server.stop;
}

async function startEmbedded(): Promise<{ url: string; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [path.join(ROOT, "apps/launcher/src/test-postgres.mjs")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith("{")) continue;
    const { url } = JSON.parse(line) as { url: string };
    const stop = async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    };
    return { url, stop };
  }
  throw new Error("The embedded Postgres of the tests did not start; see above.");
}
