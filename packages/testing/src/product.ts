import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

const ROOT = path.resolve(import.meta.dirname, "../../..");

/** The built product, started the way a stranger starts it. */
export interface Product extends AsyncDisposable {
  readonly url: string;
  /** One-time link that the start printed. */
  readonly signInUrl: string;
  readonly adminToken: string;
  readonly home: string;
  readonly port: number;
  /** The launcher's process. */
  readonly process: ChildProcess;
  /** Milliseconds from spawn to the printed link. */
  readonly readyAfterMs: number;
  /** Everything the start printed so far. */
  output(): string;
  /** Stops in order and removes the folder unless `keepHome`. */
  stop(): Promise<void>;
}

/** Options of {@link startProduct}. */
export interface ProductOptions {
  /** Folder of all state. Absent: a temporary one, removed at the end. */
  readonly home?: string;
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly keepHome?: boolean;
  /** Root of the checkout. Absent: this one. */
  readonly checkout?: string;
  /** Default 180 000 ms. */
  readonly timeoutMs?: number;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

/** Runs `npm start`'s program and resolves when it has printed its link. */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const home = options.home ?? (await mkdtemp(path.join(os.tmpdir(), "molecule-home-")));
  const port = options.port ?? (await freePort());
  const checkout = options.checkout ?? ROOT;
  const started = performance.now();
  const child = spawn(process.execPath, ["apps/launcher/src/main.mjs"], {
    cwd: checkout,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env, MOLECULE_HOME: home, PORT: String(port) },
  });
  const lines: string[] = [];
  const signInUrl = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`not ready in time:\n${lines.join("\n")}`)),
      options.timeoutMs ?? 180_000,
    );
    const onLine = (line: string) => {
      lines.push(line);
      const link = /https?:\/\/\S+\/sign-in\?\S+/.exec(line);
      if (link !== null) {
        clearTimeout(timer);
        resolve(link[0]);
      }
    };
    createInterface({ input: child.stdout }).on("line", onLine);
    createInterface({ input: child.stderr }).on("line", onLine);
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code}:\n${lines.join("\n")}`));
    });
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    if (options.keepHome !== true) {
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    }
  };
  return {
    url: `http://127.0.0.1:${port}`,
    signInUrl,
    adminToken:
      options.env?.ADMIN_TOKEN ?? (await readFile(path.join(home, "admin-token"), "utf8")).trim(),
    home,
    port,
    process: child,
    readyAfterMs: performance.now() - started,
    output: () => lines.join("\n"),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
