import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bootFromToken } from "./boot-from-token.ts";
import { readEnv } from "./env.ts";
import { jsonLog } from "./log.ts";

const BOOT_TOKEN = "wbt_the-boot-token-of-this-machine-0000000000000";
const TOKEN = "wst_the-token-of-the-attempt-000000000000000000000";
const SECRET = "sk-the-secret-of-the-workspace";
const ID = "11111111-1111-4111-8111-111111111111";

interface Asked {
  readonly route: string;
  readonly bearer: string;
  readonly body: Record<string, unknown>;
}

/** The platform's half of a boot: what it was asked, and what it answers next instead. */
let server: Server;
let asked: Asked[];
let instead: ("lost" | number)[];
let files: { path: string; content: string }[];
let removed: string[];
let folder: string;
const lines: string[] = [];

beforeEach(async () => {
  asked = [];
  instead = [];
  removed = [];
  files = [
    { path: "config.yaml", content: Buffer.from("name: Ann\n").toString("base64") },
    { path: "plugins/p/run.sh", content: Buffer.from("#!/bin/sh\n").toString("base64") },
  ];
  folder = await mkdtemp(path.join(tmpdir(), "molecule-boot-"));
  server = createServer((req, res) => {
    void bodyOf(req).then((body) => {
      const route = `${req.method} ${req.url}`;
      const bearer = (req.headers.authorization ?? "").replace("Bearer ", "");
      asked.push({ route, bearer, body });
      const other = instead.shift();
      if (other === "lost") return res.destroy();
      const isRegister = route === "POST /registry/register";
      const right = bearer === (isRegister ? BOOT_TOKEN : TOKEN);
      const status = other ?? (right ? 200 : 401);
      const answer = isRegister
        ? { status: "registered", auth_token: TOKEN, platform_inbound_secret: "inbound-secret" }
        : { attempt: 3, env: { API_KEY: SECRET }, files, removed_files: removed };
      res
        .writeHead(status, { "content-type": "application/json" })
        .end(
          JSON.stringify(
            status === 200 ? answer : { error: "This boot token has been used already." },
          ),
        );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

async function bodyOf(req: IncomingMessage): Promise<Record<string, unknown>> {
  let text = "";
  for await (const chunk of req) text += String(chunk);
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

const at = (...names: string[]) => path.join(folder, "configs", ...names);
const boot = (more: Record<string, string> = {}) => {
  const env = readEnv({
    WORKSPACE_ID: ID,
    PLATFORM_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    WORKSPACE_CONFIG_PATH: at(),
    WORKSPACE_DIR_PATH: path.join(folder, "workspace"),
    HOME: path.join(folder, "home"),
    PLUGINS_DIR: path.join(folder, "plugins"),
    MOLECULE_BOOT_TOKEN: BOOT_TOKEN,
    ...more,
  });
  return bootFromToken(
    env,
    jsonLog((line) => void lines.push(line), env.all),
  );
};
const registers = () => asked.filter(({ route }) => route === "POST /registry/register");

it("has credentials, files and secrets afterwards, and the secrets on no disk", async () => {
  const env = await boot();
  expect(env).toMatchObject({ API_KEY: SECRET, AGENT_SECRET_NAMES: "API_KEY", WORKSPACE_ID: ID });
  expect(env).not.toHaveProperty("MOLECULE_BOOT_TOKEN");
  expect(await readFile(at(".auth_token"), "utf8")).toBe(TOKEN);
  expect(await readFile(at(".platform_inbound_secret"), "utf8")).toBe("inbound-secret");
  expect(await readFile(at("config.yaml"), "utf8")).toBe("name: Ann\n");
  expect((await stat(at("plugins/p/run.sh"))).mode & 0o777).toBe(0o755);
  expect((await stat(at(".auth_token"))).mode & 0o777).toBe(0o600);
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const name of names.filter((one) => one.isFile())) {
    const text = await readFile(path.join(name.parentPath, name.name), "utf8");
    expect([name.name, text.includes(SECRET), text.includes(BOOT_TOKEN)]).toEqual([
      name.name,
      false,
      false,
    ]);
  }
});

it("BT3 asks as the same exchange when an answer was lost, also after it was started again", async () => {
  instead = ["lost", 503];
  await boot();
  const names = registers().map(({ body }) => body.exchange_id);
  expect(names).toHaveLength(3);
  expect(new Set(names).size).toBe(1);
  expect(String(names[0]).length).toBeGreaterThanOrEqual(16);
});

it("goes on with its token when its process is started again, and takes the present files", async () => {
  await boot();
  removed = ["plugins/p/run.sh"];
  files = [{ path: "config.yaml", content: Buffer.from("name: Bo\n").toString("base64") }];
  expect(await boot()).toMatchObject({ API_KEY: SECRET });
  expect(registers()).toHaveLength(1);
  expect(await readFile(at("config.yaml"), "utf8")).toBe("name: Bo\n");
  await expect(stat(at("plugins/p/run.sh"))).rejects.toThrow();
});

it("exchanges the token of a later start, and names that exchange anew", async () => {
  await boot();
  // Another boot token in the same folder is of another attempt: the kept token is not taken for its own.
  await expect(boot({ MOLECULE_BOOT_TOKEN: `${BOOT_TOKEN}2` })).rejects.toThrow("used already");
  const [first, second] = registers().map(({ body }) => body.exchange_id);
  expect(second).not.toBe(first);
});

it("ends with the platform's sentence when it is refused, without trying again", async () => {
  instead = [401];
  await expect(boot()).rejects.toThrow("This boot token has been used already.");
  expect(asked).toHaveLength(1);
});

it("writes nothing beside its folder, whatever path it is told", async () => {
  for (const outside of ["../outside.txt", "/etc/molecule-outside", "a/../../outside.txt"]) {
    files = [{ path: outside, content: "eA==" }];
    await expect(boot()).rejects.toThrow("outside of the configuration folder");
  }
  expect(await readdir(folder)).not.toContain("outside.txt");
});

it("has neither token nor secret in its log", () => {
  expect(lines.length).toBeGreaterThan(0);
  for (const secret of [BOOT_TOKEN, TOKEN, SECRET]) expect(lines.join("")).not.toContain(secret);
});

it("is nobody's business where there is no boot token", async () => {
  expect(await boot({ MOLECULE_BOOT_TOKEN: "" })).toBeUndefined();
  expect(asked).toEqual([]);
});
