import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { type Product, startProduct } from "@molecule/testing/product";
import { realPart } from "@molecule/testing/require-real";
import { expect, test } from "@playwright/test";
import { linkRealAgent } from "../linked-agent.ts";
import { callPlatform, removeAll } from "../product-fixture.ts";

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, "../..");
const MODEL_PORT = 9_099;
const START_MODEL = `import("/workspace/model.mjs").then((it) => it.startScriptedModel({ port: ${MODEL_PORT} }))`;

interface Answer {
  readonly result: {
    readonly status: {
      readonly state: string;
      readonly message?: { readonly parts: readonly { readonly text: string }[] };
    };
    readonly artifacts?: readonly { readonly parts: readonly { readonly text: string }[] }[];
  };
}

/**
 * The real agent from npm in a container. A container reaches the platform and nothing else of this
 * machine, so its scripted model runs beside it in the same container.
 */
test("a real coding agent works in a container and remembers over a restart", async () => {
  test.setTimeout(600_000);
  const hasEngine = await run("docker", ["version"]).then(
    () => true,
    () => false,
  );
  const isReal = realPart("A Docker engine", hasEngine, "install Docker and let it run");
  // biome-ignore lint/suspicious/noSkippedTests: only where there is no engine, and loudly
  test.skip(!isReal || process.env.BASE_URL !== undefined, "no engine, or no platform of our own");
  await using product = await startProduct({ env: { MOLECULE_BACKEND: "docker" } });
  const isHere = await linkRealAgent(product.home);
  // biome-ignore lint/suspicious/noSkippedTests: only where npm cannot install the package, and loudly
  test.skip(!isHere, "the real agent's package is not on this machine");
  const call = <T>(method: string, at: string, body?: unknown) =>
    callPlatform<T>(product, method, at, body);
  const { id } = await call<{ id: string }>("POST", "/workspaces", {
    name: "Cody",
    template: "coder",
    secrets: {
      ANTHROPIC_API_KEY: "sk-ant-scripted-0000000000000000",
      ANTHROPIC_BASE_URL: `http://127.0.0.1:${MODEL_PORT}`,
    },
  });
  try {
    await isOnline(product, id, 1);
    const dead = await say(product, id, "@say nobody listens");
    expect(dead.result.status.state).toBe("failed");
    expect(dead.result.status.message?.parts[0]?.text).toContain("could not be reached");

    const content = await bundledModel();
    await call("PUT", `/workspaces/${id}/files/model.mjs?root=/workspace`, { content });
    await startModelIn(id);
    await expect
      .poll(async () => textOf(await say(product, id, "@say hello")), { timeout: 30_000 })
      .toBe("hello");
    const input = JSON.stringify({ file_path: "/workspace/notes.md", content: "from inside\n" });
    await say(product, id, `@tool Write ${input}`);
    const file = await call("GET", `/workspaces/${id}/files/notes.md?root=/workspace`);
    expect(file).toMatchObject({ content: "from inside\n" });
    const seen = textOf(
      await say(product, id, '@tool Bash {"command":"env","description":"look"}'),
    );
    expect(seen).toContain("HOME=/home/agent");
    expect(seen).not.toMatch(/PLATFORM_URL|wst_/);

    await call("POST", `/workspaces/${id}/restart`, {});
    await isOnline(product, id, 2);
    await startModelIn(id);
    await expect
      .poll(async () => textOf(await say(product, id, "@hist")), { timeout: 30_000 })
      .toContain("assistant: hello");
  } finally {
    await removeAll({ call });
    await expect.poll(() => containersOf(id), { timeout: 60_000 }).toEqual([]);
  }
});

async function isOnline(product: Product, id: string, attempt: number): Promise<void> {
  const input = encodeURIComponent(JSON.stringify({ id }));
  const at = `/trpc/workspaces.get?input=${input}`;
  type Got = { result: { data: { status: string; attempt: { no: number } | null } } };
  await expect
    .poll(async () => (await callPlatform<Got>(product, "GET", at)).result.data, {
      timeout: 240_000,
    })
    .toMatchObject({ status: "online", attempt: { no: attempt } });
}

async function say(product: Product, id: string, text: string): Promise<Answer> {
  const message = {
    role: "user",
    kind: "message",
    messageId: crypto.randomUUID(),
    parts: [{ kind: "text", text }],
  };
  const envelope = { jsonrpc: "2.0", id: 1, method: "message/send", params: { message } };
  return await callPlatform<Answer>(product, "POST", `/workspaces/${id}/a2a`, envelope);
}

function textOf(answer: Answer): string {
  return (answer.result.artifacts ?? [])
    .flatMap(({ parts }) => parts)
    .map(({ text }) => text)
    .join("");
}

/** The scripted model as one file that Node runs anywhere. */
async function bundledModel(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "molecule-model-"));
  try {
    const source = path.join(ROOT, "packages/testing/src/scripted-model.ts");
    const file = path.join(folder, "model.mjs");
    const options = ["--bundle", "--minify", "--platform=node", "--format=esm"];
    await run(path.join(ROOT, "node_modules/.bin/esbuild"), [
      source,
      ...options,
      `--outfile=${file}`,
    ]);
    return await readFile(file, "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function containersOf(id: string): Promise<string[]> {
  const filter = `label=molecule.workspace=${id}`;
  const { stdout } = await run("docker", ["ps", "--all", "--quiet", "--filter", filter]);
  return stdout.split("\n").filter((line) => line !== "");
}

async function startModelIn(id: string): Promise<void> {
  const [container = ""] = await containersOf(id);
  await run("docker", ["exec", "--detach", container, "/usr/local/bin/node", "-e", START_MODEL]);
}
