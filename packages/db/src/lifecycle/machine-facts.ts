import { createHash } from "node:crypto";
import { type HostKeyPrint, parseHostKey } from "@molecule/domain/host-keys";
import type { MachineReach } from "@molecule/domain/sets";
import { and, eq, isNull } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { attempts, machines } from "../schema/workspaces.ts";

/** The attempt whose machine it is. */
export interface MachineOf {
  readonly workspaceId: string;
  readonly attemptNo: number;
}

/** What is known of a machine beyond that it is there. */
export interface MachineFacts {
  readonly providerId: string;
  /** Type and data of its public key; null: it has not told. */
  readonly hostKey: string | null;
  readonly reach: MachineReach | null;
  /** host:port that its backend gave. */
  readonly address: string | null;
}

/** The machine of an attempt; null when none is recorded, or it is gone. */
export async function readMachine(q: Queryable, of: MachineOf): Promise<MachineFacts | null> {
  const [row] = await ormOf(q)
    .select({
      providerId: machines.providerId,
      hostKey: machines.hostKey,
      reach: machines.reach,
      address: attempts.providerAddr,
    })
    .from(machines)
    .leftJoin(
      attempts,
      and(eq(attempts.workspaceId, machines.workspaceId), eq(attempts.no, machines.currentAttempt)),
    )
    .where(isMachineOf(of));
  return row ?? null;
}

function isMachineOf(of: MachineOf) {
  return and(
    eq(machines.workspaceId, of.workspaceId),
    eq(machines.currentAttempt, of.attemptNo),
    isNull(machines.removedAt),
  );
}

/**
 * Keeps what a machine says its SSH host key is. `other`: it has told another one before, which stays.
 * `unknown`: the machine is not recorded (yet). SPEC: MR5.
 */
export async function recordHostKey(
  tx: Transaction,
  of: MachineOf,
  hostKey: string,
): Promise<"stored" | "same" | "other" | "unknown"> {
  const stored = await ormOf(tx)
    .update(machines)
    .set({ hostKey })
    .where(and(isMachineOf(of), isNull(machines.hostKey)))
    .returning({ providerId: machines.providerId });
  if (stored.length > 0) {
    await tellMachine(tx, of);
    return "stored";
  }
  const known = await readMachine(tx, of);
  if (known === null) return "unknown";
  return known.hostKey === hostKey ? "same" : "other";
}

/** Notes how the machine is spoken to from now on. */
export async function recordReach(
  tx: Transaction,
  of: MachineOf,
  reach: MachineReach,
): Promise<void> {
  await ormOf(tx).update(machines).set({ reach }).where(isMachineOf(of));
  await tellMachine(tx, of);
}

async function tellMachine(tx: Transaction, { workspaceId }: MachineOf): Promise<void> {
  await appendEvent(tx, {
    event: "WORKSPACE_UPDATED",
    subjectId: workspaceId,
    payload: { changed: ["machine"] },
  });
}

/**
 * The print of the key that a machine told on its first boot, for whoever connects to it first; null when
 * it has not told. Source: design of the tunnel, host keys, 1.
 */
export async function readToldHostKey(
  q: Queryable,
  providerId: string,
): Promise<HostKeyPrint | null> {
  const [row] = await ormOf(q)
    .select({ hostKey: machines.hostKey })
    .from(machines)
    .where(eq(machines.providerId, providerId));
  const key = parseHostKey(row?.hostKey ?? "");
  if (key === null) return null;
  const sha256 = createHash("sha256").update(Buffer.from(key.data, "base64")).digest("base64");
  return { type: key.type, sha256: sha256.replace(/=+$/, "") };
}
