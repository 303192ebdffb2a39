import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { freePort, type Product } from "@molecule/testing/product";
import { waitUntil } from "@molecule/testing/wait-until";

type Part = "server" | "worker";

/** One more server or worker beside the launcher's, started again whenever it ends. */
interface Extra {
  readonly part: Part;
  child: ChildProcess | null;
  isReady: boolean;
}

/**
 * Everything of a platform that can be killed: the launcher's server and worker, further ones on the
 * same database and folder, and the database. Modes: running; stopped.
 */
export class Crew implements AsyncDisposable {
  readonly #product: Product;
  readonly #extras: Extra[] = [];
  readonly #urls: string[];
  #isStopping = false;

  constructor(product: Product) {
    this.#product = product;
    this.#urls = [product.url];
  }

  /** Addresses of all servers. */
  get urls(): readonly string[] {
    return this.#urls;
  }

  /** Starts further workers and servers with the environment of the launcher's own. */
  async reinforce(count: { readonly workers: number; readonly servers: number }): Promise<void> {
    for (let index = 0; index < count.workers; index += 1) await this.#add("worker", {});
    for (let index = 0; index < count.servers; index += 1) {
      const port = await freePort();
      await this.#add("server", { PORT: String(port) });
      this.#urls.push(`http://127.0.0.1:${port}`);
    }
  }

  /** Numbers of the processes of one part that run now. */
  async pids(part: Part): Promise<number[]> {
    const own = await this.#launched(part);
    const extra = this.#extras.flatMap((one) =>
      one.part === part && one.isReady && one.child?.pid !== undefined ? [one.child.pid] : [],
    );
    return [...(own === null ? [] : [own]), ...extra];
  }

  /** The database's first process; null while it is being restarted. */
  async postmaster(): Promise<number | null> {
    const file = path.join(this.#product.home, "pg/postmaster.pid");
    const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
    return lines[7]?.trim() === "ready" ? Number(lines[0]) : null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    await Promise.all(
      this.#extras.map(async ({ child }) => {
        if (child === null || child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      }),
    );
  }

  async #launched(part: Part): Promise<number | null> {
    const file = path.join(this.#product.home, `run/${part}.json`);
    const text = await readFile(file, "utf8").catch(() => "");
    return text === "" ? null : (JSON.parse(text) as { pid: number }).pid;
  }

  async #add(part: Part, change: Readonly<Record<string, string>>): Promise<void> {
    const env = await waitUntil(`a ${part} runs`, async () => {
      const pid = await this.#launched(part);
      const text = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return text === "" ? null : parseEnv(text);
    });
    const command = await waitUntil(`a ${part} runs`, async () => {
      const file = path.join(this.#product.home, `run/${part}.json`);
      const text = await readFile(file, "utf8").catch(() => "");
      return text === "" ? null : (JSON.parse(text) as { script: string }).script;
    });
    const extra: Extra = { part, child: null, isReady: false };
    this.#extras.push(extra);
    const run = () => {
      if (this.#isStopping) return;
      // Ends with its stdin, as the launcher's do, but never takes the agents with it.
      const child = spawn(process.execPath, [command], {
        cwd: this.#product.home,
        env: { ...env, ...change, MOLECULE_STOP_AGENTS_ON_EXIT: "" },
        stdio: ["pipe", "pipe", "ignore"],
      });
      extra.child = child;
      extra.isReady = false;
      child.stdin.on("error", () => undefined);
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line.includes('"ready":true')) extra.isReady = true;
      });
      child.once("exit", () => {
        extra.isReady = false;
        void delay(200).then(run);
      });
    };
    run();
    await waitUntil(`another ${part} is ready`, () => extra.isReady, { timeoutMs: 60_000 });
  }
}

function parseEnv(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split("\0").flatMap((line) => {
      const at = line.indexOf("=");
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}
