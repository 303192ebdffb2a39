import {
  type PeerRow,
  type PlatformToolName,
  platformToolInputs,
} from "@molecule/contracts/platform-tools";
import { checkApproval, requestApproval } from "./approval-tools.ts";
import { NoAnswerError } from "./http-json.ts";
import { commitMemory, recallMemory } from "./memory-tools.ts";
import { type PlatformClient, PlatformRefusal } from "./platform-client.ts";
import { type PeerOutcome, sendToPeer } from "./send-to-peer.ts";

/** What a tool answers: text for the model, and whether it went wrong. */
export interface ToolAnswer {
  readonly text: string;
  readonly isError: boolean;
}

/** The platform's tools, once, for every way they are offered to an agent. */
export interface PlatformTools {
  /** Runs one tool. Never throws: what went wrong is a sentence the model can act on. */
  readonly run: (
    name: PlatformToolName,
    input: unknown,
    signal?: AbortSignal,
  ) => Promise<ToolAnswer>;
}

/** Settings of {@link platformTools}. */
export interface PlatformToolsOptions {
  /** How long `delegate_task` waits, in ms; default ten minutes. */
  readonly delegateDeadlineMs?: number | undefined;
}

/** The tools of the workspace that `client` speaks for. */
export function platformTools(
  client: PlatformClient,
  options: PlatformToolsOptions = {},
): PlatformTools {
  return {
    run: async (name, input, signal) => {
      const parsed = platformToolInputs[name].safeParse(input ?? {});
      if (!parsed.success) {
        return failure(`These arguments cannot be used: ${parsed.error.issues[0]?.message ?? ""}`);
      }
      try {
        switch (name) {
          case "list_peers": {
            const { query } = platformToolInputs.list_peers.parse(parsed.data);
            return success(describePeers(await client.peers(query)));
          }
          case "delegate_task": {
            const { peer, task } = platformToolInputs.delegate_task.parse(parsed.data);
            return await delegate(client, { peer, task, signal, options });
          }
          case "send_message_to_user": {
            const { message } = platformToolInputs.send_message_to_user.parse(parsed.data);
            await client.notify({ message });
            return success("The message was shown to the person.");
          }
          case "commit_memory":
            return success(
              await commitMemory(client, platformToolInputs.commit_memory.parse(parsed.data)),
            );
          case "recall_memory":
            return success(
              await recallMemory(client, platformToolInputs.recall_memory.parse(parsed.data)),
            );
          case "request_approval": {
            const asked = platformToolInputs.request_approval.parse(parsed.data);
            return success(await requestApproval(client, asked, signal));
          }
          case "check_approval": {
            const asked = platformToolInputs.check_approval.parse(parsed.data);
            return success(await checkApproval(client, asked, signal));
          }
        }
      } catch (error) {
        if (error instanceof PlatformRefusal) return failure(error.message);
        if (error instanceof NoAnswerError) return failure("The platform did not answer.");
        throw error;
      }
    },
  };
}

interface Delegation {
  readonly peer: string;
  readonly task: string;
  readonly signal: AbortSignal | undefined;
  readonly options: PlatformToolsOptions;
}

async function delegate(client: PlatformClient, delegation: Delegation): Promise<ToolAnswer> {
  const peers = await client.peers();
  const found = findPeer(peers, delegation.peer);
  if (found.kind !== "found") return failure(found.sentence);
  const outcome = await sendToPeer(client, {
    targetId: found.peer.id,
    text: delegation.task,
    deadlineMs: delegation.options.delegateDeadlineMs,
    signal: delegation.signal,
  });
  return describeOutcome(found.peer.name, outcome);
}

/** The peer somebody means by a name or an id, or a sentence that says why none is meant. */
export type FoundPeer =
  | { readonly kind: "found"; readonly peer: PeerRow }
  | { readonly kind: "none" | "several"; readonly sentence: string };

/** Exact id, then exact name without case, then a name that begins so. */
export function findPeer(peers: readonly PeerRow[], wanted: string): FoundPeer {
  const text = wanted.trim().toLowerCase();
  const exact = peers.filter((peer) => peer.id === text || peer.name.toLowerCase() === text);
  const near = peers.filter((peer) => peer.name.toLowerCase().startsWith(text));
  const matches = exact.length > 0 ? exact : near;
  const [first, ...others] = matches;
  if (first === undefined) {
    const names = peers.map((peer) => peer.name).join(", ");
    const known = names === "" ? "There are no other agents yet." : `Known are: ${names}.`;
    return { kind: "none", sentence: `There is no agent called "${wanted.trim()}". ${known}` };
  }
  if (others.length > 0) {
    const ids = matches.map((peer) => `${peer.name} (${peer.id})`).join(", ");
    return { kind: "several", sentence: `Several agents match: ${ids}. Use the id.` };
  }
  return { kind: "found", peer: first };
}

/** The peers as lines a model and a person can read. */
export function describePeers(peers: readonly PeerRow[]): string {
  if (peers.length === 0) return "There are no other agents you may speak to.";
  return peers
    .map((peer) => {
      const role = peer.role === null || peer.role === undefined ? "" : `: ${peer.role}`;
      return `- ${peer.name}${role} (${peer.status}, id ${peer.id})`;
    })
    .join("\n");
}

function describeOutcome(name: string, outcome: PeerOutcome): ToolAnswer {
  switch (outcome.kind) {
    case "answered":
      return outcome.isError
        ? failure(`${name} could not do it. ${outcome.text}`)
        : success(outcome.text === "" ? `${name} finished without words.` : outcome.text);
    case "pending":
      return success(`${name} has not answered yet. ${outcome.sentence}`);
    case "refused":
    case "unreachable":
      return failure(`${name} could not be asked. ${outcome.sentence}`);
    case "cancelled":
      return failure(`Asking ${name} was cancelled.`);
  }
}

function success(text: string): ToolAnswer {
  return { text, isError: false };
}

function failure(text: string): ToolAnswer {
  return { text, isError: true };
}
