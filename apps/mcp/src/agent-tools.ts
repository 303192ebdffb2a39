import { platformToolDescriptions, platformToolInputs } from "@molecule/contracts/platform-tools";
import { answerMessage } from "@molecule/runtime-sdk/answer-message";
import { checkApproval, requestApproval } from "@molecule/runtime-sdk/approval-tools";
import { stateOfTask, type TaskState } from "@molecule/runtime-sdk/delegated-task";
import { FileUnavailableError, fetchFile } from "@molecule/runtime-sdk/fetch-file";
import { NoAnswerError } from "@molecule/runtime-sdk/http-json";
import type { Inbox } from "@molecule/runtime-sdk/inbox";
import { commitMemory, recallMemory } from "@molecule/runtime-sdk/memory-tools";
import { type PlatformClient, PlatformRefusal } from "@molecule/runtime-sdk/platform-client";
import { describePeers, findPeer, type ToolAnswer } from "@molecule/runtime-sdk/platform-tools";
import type { OfferedTool } from "@molecule/runtime-sdk/tool-server";
import { FileRefusedError, uploadFiles } from "@molecule/runtime-sdk/upload-files";
import { z } from "zod";
import { describeHistory, describeInbox, type Names } from "./describe.ts";
import type { Standing } from "./standing.ts";

/** What the tools work on. */
export interface AgentToolDeps {
  readonly client: PlatformClient;
  readonly standing: Standing;
  /** Absent when another process takes this workspace's messages. */
  readonly inbox: Inbox | undefined;
  /** Where files that came with messages are put. */
  readonly filesFolder: string;
}

/** Clients of the protocol give a call up after a minute unless they are told otherwise. */
const DEFAULT_WAIT_SECONDS = 45;
const MAX_WAIT_SECONDS = 600;
const DEFAULT_HISTORY_ROWS = 20;

/** Every tool of an agent outside the platform. */
export function agentTools(deps: AgentToolDeps): readonly OfferedTool[] {
  return [
    ...organisationTools(deps),
    ...taskTools(deps),
    ...personTools(deps),
    ...memoryTools(deps),
    ...approvalTools(deps),
    ...(deps.inbox === undefined ? [] : inboxTools(deps, deps.inbox)),
  ];
}

function organisationTools({ client, standing }: AgentToolDeps): readonly OfferedTool[] {
  return [
    tool(standing, {
      name: "list_peers",
      description: platformToolDescriptions.list_peers,
      input: platformToolInputs.list_peers,
      run: async ({ query }) => describePeers(await client.peers(query)),
    }),
    tool(standing, {
      name: "get_workspace_info",
      description:
        "Shows what the platform knows about you: name, role, status, parent and limits of your workspace.",
      input: z.object({}),
      run: async () => {
        const { agent_card: _card, ...rest } = await client.workspace();
        return JSON.stringify(rest, null, 2);
      },
    }),
  ];
}

const delegateInput = platformToolInputs.delegate_task.extend({
  wait_seconds: z
    .number()
    .int()
    .min(0)
    .max(MAX_WAIT_SECONDS)
    .optional()
    .describe(
      `How long to wait for the answer, in seconds; default ${DEFAULT_WAIT_SECONDS}, 0 does not wait. A task that is not done by then goes on, and check_task_status tells its answer.`,
    ),
});

function taskTools({ client, standing }: AgentToolDeps): readonly OfferedTool[] {
  return [
    tool(standing, {
      name: "delegate_task",
      description:
        "Gives a task to another agent of the organisation and returns its answer, or the id of the task when it takes longer.",
      input: delegateInput,
      run: async ({ peer, task, wait_seconds }, signal) => {
        const found = findPeer(await client.peers(), peer);
        if (found.kind !== "found") return failure(found.sentence);
        const { delegationId: taskId } = await client.delegate({ target_id: found.peer.id, task });
        const waitMs = (wait_seconds ?? DEFAULT_WAIT_SECONDS) * 1000;
        const state = await stateOfTask(client, { taskId, waitMs, signal });
        return describeTask(state, taskId, found.peer.name);
      },
    }),
    tool(standing, {
      name: "check_task_status",
      description:
        "Tells how a task stands that delegate_task gave to another agent, with its answer when it is done.",
      input: z.object({
        task_id: z.string().min(1).max(512).describe("The id that delegate_task returned."),
        wait_seconds: z
          .number()
          .int()
          .min(0)
          .max(MAX_WAIT_SECONDS)
          .optional()
          .describe("How long to wait for its end, in seconds; default 0."),
      }),
      run: async ({ task_id: taskId, wait_seconds }, signal) => {
        const waitMs = (wait_seconds ?? 0) * 1000;
        return describeTask(
          await stateOfTask(client, { taskId, waitMs, signal }),
          taskId,
          "The agent",
        );
      },
    }),
  ];
}

function describeTask(state: TaskState, taskId: string, name: string): ToolAnswer {
  switch (state.kind) {
    case "completed":
      return success(state.text === "" ? `${name} finished without words.` : state.text);
    case "failed":
      return failure(`${name} could not do it. ${state.sentence}`);
    case "unknown":
      return failure(`There is no task ${taskId} among the newest 50 that you gave away.`);
    case "open":
      return success(
        `${name} ${state.isQueued ? "has not begun yet" : "is still working"}. The task id is ${taskId}; check_task_status tells its answer.`,
      );
  }
}

function personTools({ client, standing }: AgentToolDeps): readonly OfferedTool[] {
  return [
    tool(standing, {
      name: "send_message_to_user",
      description:
        "Shows a message to the person in the chat right away, with files of this machine if you like.",
      input: platformToolInputs.send_message_to_user.extend({
        attachments: z
          .array(z.string().min(1).max(4096))
          .max(64)
          .optional()
          .describe("Paths of files on this machine, each up to 25 MB."),
      }),
      run: async ({ message, attachments: paths = [] }, signal) => {
        const files = paths.map((path) => ({ path }));
        const attachments = await uploadFiles(client, files, signal);
        if (attachments.length === 0) await client.notify({ message });
        else await client.notify({ message, attachments: [...attachments] });
        const names = attachments.map((file) => file.name).join(", ");
        const withFiles = names === "" ? "" : ` with ${names}`;
        return `The message was shown to the person${withFiles}.`;
      },
    }),
    tool(standing, {
      name: "chat_history",
      description:
        "What was said before, oldest first: with the person, or with one agent when peer is given.",
      input: z.object({
        peer: z.string().min(1).max(255).optional().describe("Name or id of an agent."),
        limit: z.number().int().min(1).max(500).optional().describe("Newest rows; default 20."),
        before: z
          .string()
          .max(64)
          .optional()
          .describe("Only what is older than this time, such as 2026-01-31T12:00:00Z."),
      }),
      run: async ({ peer, limit, before }) => {
        const peers = await client.peers();
        const found = peer === undefined ? undefined : findPeer(peers, peer);
        if (found !== undefined && found.kind !== "found") return failure(found.sentence);
        const rows = await client.activity({
          type: "a2a_receive",
          limit: String(limit ?? DEFAULT_HISTORY_ROWS),
          ...(found === undefined ? { source: "canvas" } : { peer_id: found.peer.id }),
          ...(before === undefined ? {} : { before_ts: before }),
        });
        return describeHistory(rows, client.workspaceId, namesOf(peers));
      },
    }),
  ];
}

function memoryTools({ client, standing }: AgentToolDeps): readonly OfferedTool[] {
  return [
    tool(standing, {
      name: "commit_memory",
      description: platformToolDescriptions.commit_memory,
      input: platformToolInputs.commit_memory,
      run: (memory) => commitMemory(client, memory),
    }),
    tool(standing, {
      name: "recall_memory",
      description: platformToolDescriptions.recall_memory,
      input: platformToolInputs.recall_memory,
      run: (asked) => recallMemory(client, asked),
    }),
  ];
}

function approvalTools({ client, standing }: AgentToolDeps): readonly OfferedTool[] {
  return [
    tool(standing, {
      name: "request_approval",
      description: platformToolDescriptions.request_approval,
      input: platformToolInputs.request_approval,
      run: (asked, signal) => requestApproval(client, asked, signal),
    }),
    tool(standing, {
      name: "check_approval",
      description: platformToolDescriptions.check_approval,
      input: platformToolInputs.check_approval,
      run: (asked, signal) => checkApproval(client, asked, signal),
    }),
  ];
}

function inboxTools(
  { client, standing, filesFolder }: AgentToolDeps,
  inbox: Inbox,
): readonly OfferedTool[] {
  const names = async () => namesOf(await client.peers());
  return [
    tool(standing, {
      name: "wait_for_message",
      description:
        "Waits until somebody writes to you and shows what they wrote. The message stays until inbox_pop; answer it first.",
      input: z.object({
        timeout_seconds: z
          .number()
          .min(0)
          .max(MAX_WAIT_SECONDS)
          .optional()
          .describe(`Default ${DEFAULT_WAIT_SECONDS}.`),
      }),
      run: async ({ timeout_seconds }, signal) => {
        const timeoutMs = (timeout_seconds ?? DEFAULT_WAIT_SECONDS) * 1000;
        const found = await inbox.wait(timeoutMs, signal);
        return found.length === 0 ? "No message came." : describeInbox(found, await names());
      },
    }),
    tool(standing, {
      name: "inbox_peek",
      description: "Shows the messages that wait for you, oldest first, without waiting.",
      input: z.object({
        limit: z.number().int().min(1).max(100).optional().describe("Default 10."),
      }),
      run: async ({ limit }) => {
        const found = await inbox.waiting();
        const shown = found.slice(0, limit ?? 10);
        const rest = found.length - shown.length;
        const text = describeInbox(shown, await names());
        return rest === 0 ? text : `${text}\n\n${rest} more wait.`;
      },
    }),
    tool(standing, {
      name: "inbox_pop",
      description:
        "Takes a message out of the inbox for good, once you have dealt with it. With an answer, whoever wrote gets it: a person in the chat, an agent as the result of its task.",
      input: z.object({
        message_id: z.string().min(1).max(128).describe("The id that the inbox shows."),
        answer: z.string().min(1).max(200_000).optional().describe("What the other side reads."),
      }),
      run: async ({ message_id, answer }) => {
        const message = (await inbox.waiting()).find(({ id }) => id === message_id);
        if (message === undefined) return failure(`No message ${message_id} waits.`);
        const how = answer === undefined ? null : await answerMessage(client, message, answer);
        await inbox.done(message_id);
        if (how === "too_late") {
          return failure("Nobody waits for this answer any more. The message is done.");
        }
        return how === "sent"
          ? `The answer was sent, and the message ${message_id} is done.`
          : `The message ${message_id} is done.`;
      },
    }),
    tool(standing, {
      name: "fetch_file",
      description:
        "Puts a file that came with a message of the inbox on this machine and tells its path. The platform keeps files for a week.",
      input: z.object({
        uri: z.string().min(1).max(4096).describe("As the inbox shows it: platform:/workspaces/…"),
        name: z.string().min(1).max(255).optional().describe("What the file is called."),
      }),
      run: async ({ uri, name = "file" }, signal) => {
        const { path, size } = await fetchFile(
          client,
          { uri, name },
          { folder: filesFolder, signal },
        );
        return `${path} (${size} bytes)`;
      },
    }),
  ];
}

function namesOf(peers: readonly { readonly id: string; readonly name: string }[]): Names {
  return new Map(peers.map((peer) => [peer.id, peer.name]));
}

interface ToolPlan<S extends z.ZodRawShape> {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodObject<S>;
  readonly run: (
    input: z.infer<z.ZodObject<S>>,
    signal: AbortSignal,
  ) => Promise<string | ToolAnswer>;
}

function tool<S extends z.ZodRawShape>(standing: Standing, plan: ToolPlan<S>): OfferedTool {
  return {
    name: plan.name,
    description: plan.description,
    input: plan.input.shape,
    run: async (input, signal) => {
      try {
        const answer = await plan.run(plan.input.parse(input ?? {}), signal);
        standing.accepted();
        return typeof answer === "string" ? success(answer) : answer;
      } catch (error) {
        if (error instanceof PlatformRefusal) return failure(await standing.explain(error));
        if (error instanceof FileRefusedError) {
          return failure(`${error.message} The message was not sent.`);
        }
        if (error instanceof FileUnavailableError) return failure(error.message);
        if (error instanceof NoAnswerError) {
          return failure("The platform did not answer. Try again in a moment.");
        }
        throw error;
      }
    },
  };
}

function success(text: string): ToolAnswer {
  return { text, isError: false };
}

function failure(text: string): ToolAnswer {
  return { text, isError: true };
}
