import { setTimeout as delay } from "node:timers/promises";
import type { PatientClient } from "./client.ts";
import type { AcknowledgedWrite, Killing, Pressed } from "./history.ts";

/** A workspace as its writer knows it. One writer per workspace, so that its writes have an order. */
export interface Subject {
  readonly id: string;
  /** Latest acknowledged value by name; null: deleted. */
  readonly known: Map<string, string | null>;
  readonly pressed: { clicks: number; resumes: number; deaths: number };
  isDeleted: boolean;
}

/** What all writers share. */
export interface Stage {
  readonly client: PatientClient;
  readonly dice: (below: number) => number;
  readonly subjects: Subject[];
  readonly writes: AcknowledgedWrite[];
  readonly killings: Killing[];
  /** Requests that were refused or never acknowledged: every one breaks a promise. */
  readonly refused: string[];
  readonly isOver: AbortSignal;
  readonly counts: {
    requests: number;
    batches: number;
    turns: number;
    probes: number;
    deletes: number;
  };
}

/** Creates a workspace with the demo agent. */
export async function createSubject(stage: Stage): Promise<Subject> {
  const { client } = stage;
  const name = `Chaos ${crypto.randomUUID()}`;
  const { answer } = await client.call<{ id: string }>({
    method: "POST",
    path: "/workspaces",
    body: { name, runtime: "demo" },
  });
  const subject: Subject = {
    id: answer.id,
    known: new Map(),
    pressed: { clicks: 0, resumes: 0, deaths: 0 },
    isDeleted: false,
  };
  stage.subjects.push(subject);
  return subject;
}

/** How often each subject was pressed. */
export function pressedOf(subjects: readonly Subject[]): Map<string, Pressed> {
  return new Map(subjects.map(({ id, pressed }) => [id, pressed]));
}

/** Bursts of writes and lulls, clicks, pauses and now and then a new life, until it is over. */
export async function live(stage: Stage, mayDelete: boolean): Promise<void> {
  const { dice, isOver } = stage;
  let subject = await createSubject(stage);
  while (!isOver.aborted) {
    const burst = 1 + dice(40);
    for (let count = 0; count < burst && !isOver.aborted; count += 1) {
      await attempt(stage, () => write(stage, subject));
      await pause(stage, 10 + dice(50));
    }
    const what = dice(20);
    if (what < 3) await attempt(stage, () => click(stage, subject));
    else if (what === 3) await attempt(stage, () => rest(stage, subject));
    else if (what === 4 && mayDelete) {
      await attempt(stage, () => remove(stage, subject));
      if (subject.isDeleted) subject = await createSubject(stage);
    } else if (what < 9) void talk(stage, subject);
    await pause(stage, 500 + dice(6_000));
  }
}

async function pause({ isOver }: Stage, ms: number): Promise<void> {
  await delay(ms, undefined, { signal: isOver }).catch(() => undefined);
}

async function attempt({ refused }: Stage, act: () => Promise<void>): Promise<void> {
  await act().catch((error: unknown) => refused.push(String(error)));
}

/** One random write: a file, a deletion, a secret, a setting, or several of them in one save. */
async function write(stage: Stage, subject: Subject): Promise<void> {
  const value = `value ${stage.dice(2 ** 31)} ${stage.writes.length}`;
  const planned = planWrite(stage.dice, subject, value);
  if (planned === "batch") return await saveBatch(stage, subject, value);
  const { name, method, path, body } = planned;
  await stage.client.call({
    method,
    path: `/workspaces/${subject.id}/${path}`,
    body,
    // Only a deletion answers so, and only when the one before it was done without an answer.
    ...(method === "DELETE" ? { alsoFine: [404] } : {}),
  });
  stage.counts.requests += 1;
  note(stage, subject, name, method === "DELETE" ? null : value);
}

function planWrite(dice: Stage["dice"], subject: Subject, value: string) {
  const put = (name: string, path: string, body: unknown) =>
    ({ name, method: "PUT", path, body }) as const;
  const file = `note-${dice(6)}.md`;
  switch (dice(10)) {
    case 0:
      return put("setting model", "model", { model: value });
    case 1:
      return put("setting instructions", "files/system-prompt.md", { content: value });
    case 2:
    case 3: {
      const key = `CHAOS_${dice(4)}`;
      return put(`secret ${key}`, "secrets", { key, value });
    }
    case 4: {
      const name = `file ${file}`;
      const isThere = (subject.known.get(name) ?? null) !== null;
      if (!isThere) return put(name, `files/${file}`, { content: value });
      return { name, method: "DELETE", path: `files/${file}`, body: undefined } as const;
    }
    case 5:
      return "batch";
    default:
      return put(`file ${file}`, `files/${file}`, { content: value });
  }
}

/** Two secrets in the canvas's one Save: complete in itself, so it waits for no quiet. */
async function saveBatch(stage: Stage, subject: Subject, value: string): Promise<void> {
  const secrets = [0, 1].map((number) => ({
    key: `CHAOS_B${number}`,
    value: `${value} ${number}`,
  }));
  await stage.client.call({
    method: "POST",
    path: "/trpc/config.save",
    body: { workspaceId: subject.id, secrets },
  });
  stage.counts.requests += 1;
  stage.counts.batches += 1;
  for (const { key, value: secret } of secrets) note(stage, subject, `secret ${key}`, secret);
}

function note(stage: Stage, subject: Subject, name: string, value: string | null): void {
  subject.known.set(name, value);
  stage.writes.push({ workspaceId: subject.id, name, value });
}

async function click(stage: Stage, subject: Subject): Promise<void> {
  const path = `/workspaces/${subject.id}/restart`;
  const { sent } = await stage.client.call({ method: "POST", path, body: {} });
  subject.pressed.clicks += sent;
}

/** Paused for a moment, with a write meanwhile, and resumed. */
async function rest(stage: Stage, subject: Subject): Promise<void> {
  const path = `/workspaces/${subject.id}`;
  await stage.client.call({ method: "POST", path: `${path}/pause`, body: {}, alsoFine: [404] });
  await attempt(stage, () => write(stage, subject));
  await pause(stage, stage.dice(2_000));
  const resumed = { method: "POST", path: `${path}/resume`, body: {}, alsoFine: [404] };
  subject.pressed.resumes += (await stage.client.call(resumed)).sent;
}

async function remove(stage: Stage, subject: Subject): Promise<void> {
  const path = `/workspaces/${subject.id}?confirm=true`;
  await stage.client.call({ method: "DELETE", path, alsoFine: [404, 410] });
  stage.counts.deletes += 1;
  subject.isDeleted = true;
}

function messageTo(subject: Subject, text: string) {
  const messageId = crypto.randomUUID();
  const message = { kind: "message", messageId, role: "user", parts: [{ kind: "text", text }] };
  return {
    method: "POST",
    path: `/workspaces/${subject.id}/a2a`,
    body: { jsonrpc: "2.0", id: messageId, method: "message/send", params: { message } },
  };
}

/** A turn, which restarts wait for; what becomes of its answer is not this run's question. */
async function talk(stage: Stage, subject: Subject): Promise<void> {
  stage.counts.turns += 1;
  await stage.client.call(messageTo(subject, "count slowly to 3")).catch(() => undefined);
}

/** Storms of fifty questions a second to agents in every state: what they meet starts nothing. */
export async function probeStorms(stage: Stage): Promise<void> {
  const { client, dice, isOver, counts } = stage;
  while (!isOver.aborted) {
    const alive = stage.subjects.filter((one) => !one.isDeleted);
    const probes = Array.from({ length: 25 }, async (_, index) => {
      await pause(stage, index * 20);
      const subject = alive[dice(Math.max(alive.length, 1))];
      if (subject === undefined || isOver.aborted) return;
      counts.probes += 1;
      const id = crypto.randomUUID();
      const body = { jsonrpc: "2.0", id, method: "tasks/get", params: { id } };
      const path = `/workspaces/${subject.id}/a2a`;
      await client.call({ method: "POST", path, body }).catch(() => undefined);
    });
    await Promise.all(probes);
    await pause(stage, 2_000 + dice(6_000));
  }
}
