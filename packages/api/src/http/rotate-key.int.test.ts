import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { recordPrefix } from "@molecule/db/secrets/cipher";
import { writeKeyFile } from "@molecule/db/secrets/key-file";
import { keyRingText, loadCipher, readKeyRing } from "@molecule/db/secrets/key-ring";
import { rotateKey } from "@molecule/db/secrets/rotate-key";
import { loadWorkspaceEnv } from "@molecule/db/secrets/workspace-env";
import { expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";

const IS_LONG = process.env.MOLECULE_TEST_LONG === "1";
/** 50 requests a second; the bar is two minutes of them, without one that fails. */
const EVERY_MS = 20;
const LOAD_MS = IS_LONG ? 120_000 : 1_500;
const WORKSPACES = IS_LONG ? 60 : 6;
const SECRETS = 5;

interface Agent {
  readonly id: string;
  readonly token: string;
}

async function createAgents(api: TestApi): Promise<Agent[]> {
  const agents: Agent[] = [];
  for (let n = 0; n < WORKSPACES; n += 1) {
    const secrets = Object.fromEntries(
      Array.from({ length: SECRETS }, (_, k) => [`OWN_${k}`, `own-${n}-${k}`]),
    );
    const id = await api.createWorkspace({ name: `Agent ${n}`, secrets });
    agents.push({ id, token: await api.tokenOf(id) });
  }
  return agents;
}

/** One request of an agent's turn; resolves with what is wrong with its answer, or null. */
type Step = (turn: number, n: number, agent: Agent) => Promise<string | null>;

/** Every way a secret is read or written by a client. */
function stepsOf(api: TestApi): readonly Step[] {
  const inbounds = new Map<string, string>();
  const statusOf = async (answer: Promise<Response>, what: string) => {
    const { status } = await answer;
    return status === 200 ? null : `${what}: ${status}`;
  };
  return [
    (turn, _n, { id }) => {
      const body = { key: "WRITTEN", value: `written-${turn}` };
      return statusOf(api.call("PUT", `/workspaces/${id}/secrets`, { body }), "a write");
    },
    (turn, n) => {
      // A write of the organisation's reaches every agent, so not each of these is one.
      if (n > 0) return statusOf(api.call("GET", "/settings/secrets"), "a list");
      const body = { key: "SHARED_TOO", value: `shared-${turn}` };
      return statusOf(api.call("PUT", "/settings/secrets", { body }), "a write for all");
    },
    async (_turn, _n, { id, token }) => {
      const body = { workspace_id: id };
      const answer = await api.call("POST", "/registry/heartbeat", { body, token });
      const { platform_inbound_secret: told } = (await answer.json()) as Inbound;
      if (told === undefined) return `a beat: ${answer.status}`;
      const known = inbounds.get(id) ?? told;
      inbounds.set(id, known);
      return known === told ? null : "a beat with another inbound secret";
    },
    async (_turn, _n, { id }) => {
      const text = await (await api.call("GET", `/workspaces/${id}/secrets`)).text();
      return text.includes("must_reenter") ? `a list: ${text}` : null;
    },
    async (_turn, n, { id, token }) => {
      const answer = await api.call("GET", `/workspaces/${id}/secrets/values`, { token });
      return wrongValues(n, answer.status, (await answer.json()) as Record<string, string>);
    },
  ];
}

interface Inbound {
  readonly platform_inbound_secret?: string;
}

/** The next request each time. */
function requests(api: TestApi, agents: readonly Agent[]): () => Promise<string | null> {
  const steps = stepsOf(api);
  let turn = 0;
  return async () => {
    turn += 1;
    const n = turn % agents.length;
    const step = steps[Math.floor(turn / agents.length) % steps.length] as Step;
    return await step(turn, n, agents[n] as Agent);
  };
}

function wrongValues(n: number, status: number, values: Record<string, string>): string | null {
  if (status !== 200) return `a read: ${status} ${JSON.stringify(values)}`;
  for (let k = 0; k < SECRETS; k += 1) {
    if (values[`OWN_${k}`] !== `own-${n}-${k}`) return `a read without OWN_${k}`;
  }
  return values.SHARED === "shared" ? null : "a read without SHARED";
}

it(
  "under 50 requests a second fails none, killed half-way and finished, and leaves no old key",
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "rotation-"));
    const keyFile = path.join(folder, "secrets.key");
    writeKeyFile(keyFile, keyRingText([randomBytes(32)]));
    const api = await createTestApi({ cipher: loadCipher({ keyFile }) });
    try {
      const agents = await createAgents(api);
      await api.call("PUT", "/settings/secrets", { body: { key: "SHARED", value: "shared" } });
      // A process beside the server, as the worker is: it only reads.
      const worker = loadCipher({ keyFile });
      const { id: watched } = agents[0] as Agent;
      const wrong: string[] = [];
      const running: Promise<void>[] = [];
      const next = requests(api, agents);
      const until = performance.now() + LOAD_MS;
      const retired: Uint8Array[] = [];
      const input = { url: api.test.url, source: { keyFile }, tokenKeyFile: `${keyFile}.tokens` };

      const load = async () => {
        for (let at = performance.now(); at < until; at += EVERY_MS) {
          running.push(next().then((problem) => void (problem === null || wrong.push(problem))));
          const { unreadable } = await loadWorkspaceEnv(api.test.db, worker, watched);
          wrong.push(...unreadable);
          await pause(Math.max(0, at + EVERY_MS - performance.now()));
        }
        await Promise.all(running);
      };
      const rotations = async () => {
        do {
          retired.push(readKeyRing({ keyFile })[0]);
          const killed = rotateKey({
            ...input,
            onProgress: (moved) => {
              if (moved > WORKSPACES) throw new Error("killed");
            },
          });
          await expect(killed).rejects.toThrow("killed");
          await pause(IS_LONG ? 2_000 : 200);
          expect(await rotateKey(input)).toMatchObject({
            kind: "resumed",
            unreadable: [],
            isDropped: true,
          });
        } while (IS_LONG && performance.now() < until - 5_000);
      };
      await Promise.all([load(), rotations()]);

      expect(wrong).toEqual([]);
      expect(running.length).toBeGreaterThanOrEqual((LOAD_MS / EVERY_MS) * 0.5);
      expect(readKeyRing({ keyFile })).toHaveLength(1);
      const left = await Promise.all(retired.map((key) => tablesWith(api, recordPrefix(key))));
      expect(left.flat()).toEqual([]);
      const anew = loadCipher({ keyFile });
      for (const { id } of agents) {
        expect((await loadWorkspaceEnv(api.test.db, anew, id)).unreadable).toEqual([]);
      }
      if (IS_LONG) {
        process.stdout.write(`${running.length} requests, ${retired.length} rotations, 0 failed\n`);
      }
    } finally {
      await api[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    }
  },
  LOAD_MS + 60_000,
);

/** The tables in which any column holds these bytes. */
async function tablesWith(api: TestApi, bytes: Uint8Array): Promise<string[]> {
  const hex = Buffer.from(bytes).toString("hex");
  const tables = await api.test.sql`
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`;
  const found: string[] = [];
  for (const { table_name: table } of tables) {
    const rows = await api.test.sql`
      SELECT 1 FROM ${api.test.sql(table)} t WHERE to_jsonb(t)::text LIKE ${`%${hex}%`} LIMIT 1`;
    if (rows.length > 0) found.push(String(table));
  }
  return found;
}
