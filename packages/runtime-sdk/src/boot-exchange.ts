import { createHash, randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { registerAnswer } from "@molecule/contracts/platform-tools";
import type { CredentialFiles } from "./credential-files.ts";
import { callJson, NoAnswerError } from "./http-json.ts";
import type { Log } from "./log.ts";
import { PlatformRefusal, refusalOf } from "./platform-client.ts";
import { retryDelayMs } from "./retry-delay.ts";

/** Beside the credentials: which boot token was used, and how its exchange is named. */
const STATE_FILE = ".boot_exchange";
const CALL_DEADLINE_MS = 15_000;
const RETRY = { baseMs: 500, capMs: 15_000 };

/** A machine that boots. */
export interface BootExchange {
  readonly platformUrl: string;
  readonly workspaceId: string;
  /** One use, 15 minutes. Never logged. */
  readonly bootToken: string;
  /** Where the credentials are kept. */
  readonly folder: string;
  readonly credentials: CredentialFiles;
  /** What the platform shows until the agent itself registers. */
  readonly name: string;
  readonly log: Log;
}

/** What is remembered of an exchange; never the token itself. */
interface ExchangeState {
  readonly bootSha256: string;
  /** Known to nobody else: it makes a repeated exchange the same one. */
  readonly exchangeId: string;
  readonly isDone: boolean;
}

/**
 * The token of the attempt is in the credential file afterwards. A process that is started again on the
 * same machine goes on with it; one whose answer was lost asks for it again as the same exchange. Without
 * an answer it is tried for ever, ever more slowly. SPEC: BT1, BT3.
 * @throws PlatformRefusal when the platform refuses the token: nothing but a new start helps then.
 */
export async function exchangeBootToken(exchange: BootExchange): Promise<void> {
  const { credentials, log } = exchange;
  const state = await readState(exchange);
  if (state.isDone && (await credentials.token()) !== undefined) return;
  // Kept before it is sent: what is sent may have been done.
  await writeState(exchange, state);
  for (let failures = 1; ; failures += 1) {
    const answer = await askOnce(exchange, state).catch((error: unknown) => {
      if (error instanceof NoAnswerError) return null;
      throw error;
    });
    if (answer !== null) {
      if (answer.token !== undefined) await credentials.storeToken(answer.token);
      if (answer.inboundSecret !== undefined) {
        await credentials.storeInboundSecret(answer.inboundSecret);
      }
      await writeState(exchange, { ...state, isDone: true });
      return;
    }
    log.warn("the platform does not answer the boot token yet", { failures });
    await new Promise((resolve) =>
      setTimeout(resolve, retryDelayMs(failures, RETRY, Math.random())),
    );
  }
}

/** Null when the platform could not answer now. @throws NoAnswerError | PlatformRefusal */
async function askOnce(
  { platformUrl, workspaceId, bootToken, name }: BootExchange,
  { exchangeId }: ExchangeState,
): Promise<{ token: string | undefined; inboundSecret: string | undefined } | null> {
  const answer = await callJson({
    method: "POST",
    url: `${platformUrl}/registry/register`,
    headers: { authorization: `Bearer ${bootToken}` },
    body: { id: workspaceId, url: "", agent_card: { name }, exchange_id: exchangeId },
    deadlineMs: CALL_DEADLINE_MS,
  });
  if (answer.status === 429 || answer.status >= 500) return null;
  if (answer.status !== 200) throw refusalOf(answer);
  const told = registerAnswer.safeParse(answer.body).data;
  if (told?.auth_token === undefined) {
    throw new PlatformRefusal(200, "The platform took the boot token and gave none for it.");
  }
  return { token: told.auth_token, inboundSecret: told.platform_inbound_secret };
}

/** That of this boot token; another token's is of an earlier start, and counts for nothing. */
async function readState({ folder, bootToken }: BootExchange): Promise<ExchangeState> {
  const bootSha256 = createHash("sha256").update(bootToken).digest("hex");
  const text = await readFile(path.join(folder, STATE_FILE), "utf8").catch(() => "");
  try {
    const found = JSON.parse(text) as Partial<ExchangeState>;
    if (found.bootSha256 === bootSha256 && typeof found.exchangeId === "string") {
      return { bootSha256, exchangeId: found.exchangeId, isDone: found.isDone === true };
    }
  } catch {
    // Absent, or half written by a machine that lost its power: then nothing was sent with it.
  }
  return { bootSha256, exchangeId: randomBytes(32).toString("base64url"), isDone: false };
}

async function writeState({ folder }: BootExchange, state: ExchangeState): Promise<void> {
  const file = path.join(folder, STATE_FILE);
  const next = `${file}.${randomBytes(6).toString("hex")}`;
  await writeFile(next, JSON.stringify(state), { mode: 0o600, flag: "wx" });
  await rename(next, file);
}
