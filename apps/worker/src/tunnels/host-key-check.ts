import { createHash } from "node:crypto";
import { type HostKeyPrint, hostKeysOnConsole, judgeHostKey } from "@molecule/domain/host-keys";
import type { HostKeySource } from "@molecule/domain/sets";
import type { Log } from "../runtime/log.ts";
import { machineKeyOf, type TunnelTarget } from "./target.ts";

/** What a machine is known by. */
export interface HostKeyStore {
  find(machine: string): Promise<HostKeyPrint | null>;
  /** Answers with the pin that holds: whoever was first. */
  pin(
    machine: string,
    key: HostKeyPrint & { readonly source: HostKeySource },
  ): Promise<HostKeyPrint>;
}

/** Where keys come from that are not pinned yet. */
export interface HostKeyOptions {
  readonly store: HostKeyStore;
  /** The key a machine told when it was made; null: it has not. Absent: machines tell none. */
  readonly toldBy?: (target: TunnelTarget) => Promise<HostKeyPrint | null>;
  /** The machine's console as AWS has it, empty when there is none. Absent: consoles cannot be read. */
  readonly consoleOf?: (target: TunnelTarget, signal: AbortSignal) => Promise<string>;
  readonly log: Log;
}

/** A blob of RFC 4253 §6.6 as it is pinned. */
export function printOf(blob: Buffer): HostKeyPrint {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  const sha256 = createHash("sha256").update(blob).digest("base64");
  return {
    type: blob.subarray(4, 4 + length).toString("latin1"),
    sha256: sha256.replace(/=+$/, ""),
  };
}

/**
 * Whether the key a machine offers is its own. Without a pin it is what the machine told when it was made,
 * else what its console shows, and when neither says anything the key is pinned as it is: the way to it is authenticated by AWS. SPEC: TU14.
 */
export async function checkHostKey(
  options: HostKeyOptions,
  target: TunnelTarget,
  offered: { readonly key: HostKeyPrint; readonly pinned: HostKeyPrint | null },
  signal: AbortSignal,
): Promise<boolean> {
  const { key, pinned } = offered;
  const verdict = judgeHostKey(pinned, key);
  if (verdict !== "pin") return verdict === "accept";
  const machine = machineKeyOf(target);
  const told = (await options.toldBy?.(target)) ?? null;
  const printed = told === null ? await consoleKeys(options, target, signal) : [];
  const known = told ?? printed.find(({ type }) => type === key.type);
  const source = known === undefined ? "first_use" : told === null ? "console" : "provisioning";
  if (source === "first_use") {
    options.log.info({ machine, ...key }, "the machine's host key is pinned at its first use");
  }
  const held = await options.store.pin(machine, { ...(known ?? key), source });
  return judgeHostKey(held, key) === "accept";
}

async function consoleKeys(
  options: HostKeyOptions,
  target: TunnelTarget,
  signal: AbortSignal,
): Promise<readonly HostKeyPrint[]> {
  if (options.consoleOf === undefined) return [];
  try {
    const text = await options.consoleOf(target, signal);
    return hostKeysOnConsole(text).map(({ data }) => printOf(Buffer.from(data, "base64")));
  } catch (err) {
    options.log.warn({ err, machine: machineKeyOf(target) }, "the machine's console was not read");
    return [];
  }
}
