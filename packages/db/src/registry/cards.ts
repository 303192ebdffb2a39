import type { DeliveryMode } from "@molecule/domain/sets";
import { and, eq, ne } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { liveness, workspaces } from "../schema/workspaces.ts";
import { storableJson, storableText } from "../storable.ts";

/** What an agent says of itself when it registers. */
export interface Registration {
  readonly workspaceId: string;
  readonly agentCard: Readonly<Record<string, unknown>>;
  /** Null keeps the stored one. */
  readonly advertisedUrl: string | null;
  readonly deliveryMode: DeliveryMode;
}

/** Stores card, url and delivery mode. Intent, phase and health stay: register cannot wake or unpause. */
export async function storeRegistration(tx: Transaction, input: Registration): Promise<void> {
  await ormOf(tx)
    .update(workspaces)
    .set({
      agentCard: cardOf(input.agentCard),
      deliveryMode: input.deliveryMode,
      ...(input.advertisedUrl === null ? {} : { advertisedUrl: storableText(input.advertisedUrl) }),
    })
    .where(and(eq(workspaces.id, input.workspaceId), ne(workspaces.intent, "deleted")));
}

/** Replaces the card and tells AGENT_CARD_UPDATED. */
export async function storeCard(
  tx: Transaction,
  workspaceId: string,
  card: Readonly<Record<string, unknown>>,
): Promise<void> {
  const agentCard = cardOf(card);
  await ormOf(tx).update(workspaces).set({ agentCard }).where(eq(workspaces.id, workspaceId));
  await appendEvent(tx, {
    event: "AGENT_CARD_UPDATED",
    subjectId: workspaceId,
    payload: { agent_card: agentCard },
  });
}

function cardOf(card: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const stored = storableJson(card);
  return typeof stored === "object" && stored !== null ? { ...stored } : {};
}

/** What the platform knows of an agent's own words. */
export interface StoredCard {
  readonly card: Record<string, unknown> | null;
  readonly url: string;
  readonly deliveryMode: DeliveryMode;
  readonly lastHeartbeatAt: Date | null;
}

/** The card as registered; null when there is no such workspace. */
export async function readCard(q: Queryable, workspaceId: string): Promise<StoredCard | null> {
  const [row] = await ormOf(q)
    .select({
      card: workspaces.agentCard,
      url: workspaces.advertisedUrl,
      deliveryMode: workspaces.deliveryMode,
      lastHeartbeatAt: liveness.lastHeartbeatAt,
    })
    .from(workspaces)
    .leftJoin(liveness, eq(liveness.workspaceId, workspaces.id))
    .where(and(eq(workspaces.id, workspaceId), ne(workspaces.intent, "deleted")));
  return row ?? null;
}
