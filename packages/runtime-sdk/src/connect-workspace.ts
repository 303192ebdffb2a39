import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { HeartbeatBody } from "@molecule/contracts/wire";
import type { CardFacts } from "./a2a/agent-card.ts";
import type { AgentAdapter } from "./agent-adapter.ts";
import { type AnswerFunction, answering } from "./answering.ts";
import { type CredentialFiles, credentialFiles } from "./credential-files.ts";
import { stateOfTask, type TaskState } from "./delegated-task.ts";
import {
  type LifeSign,
  type PlatformClient,
  PlatformRefusal,
  platformClient,
  type Registration,
} from "./platform-client.ts";
import { findPeer } from "./platform-tools.ts";
import { type ServedAgent, type ServeOptions, serveAgent } from "./serve-agent.ts";
import { type LocalFile, type UploadedFile, uploadFiles } from "./upload-files.ts";

/** Which workspace an agent is, and where its own folder is. */
export interface WorkspaceOptions {
  readonly platformUrl: string;
  readonly workspaceId: string;
  /** Absent: the file `.auth_token` in `folder`. */
  readonly token?: string | undefined;
  /** Credentials, notes and uploads are kept here; made when missing. */
  readonly folder: string;
}

/** What `serve` needs beyond the workspace. */
export interface ServeHere
  extends Partial<Omit<ServeOptions, "client" | "credentials" | "adapter" | "card">> {
  /** The agent: a function from a message to its answer, or an adapter with events of its own. */
  readonly agent: AnswerFunction | AgentAdapter;
  readonly card: Partial<Omit<CardFacts, "url">> & Pick<CardFacts, "name">;
}

/** A message for the person, with files of this machine. */
export interface Notice {
  readonly message: string;
  readonly files?: readonly (string | LocalFile)[];
}

/** A task for another agent. */
export interface Delegated {
  /** Name or id, as the list of peers shows it. */
  readonly peer: string;
  readonly task: string;
  /** How long its end is waited for, in ms; default ten minutes. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

/** The platform, as the agent of one workspace sees it. */
export interface ConnectedWorkspace {
  readonly client: PlatformClient;
  readonly credentials: CredentialFiles;
  /** Serves A2A, registers and beats until stopped. @throws Error */
  readonly serve: (options: ServeHere) => Promise<ServedAgent>;
  /** For an agent that is served by other means. Never throws. */
  readonly register: (registration: Registration) => Promise<LifeSign>;
  /** For an agent that is served by other means. Never throws. */
  readonly beat: (beat?: Omit<HeartbeatBody, "workspace_id">) => Promise<LifeSign>;
  /** Shows a message to the person; its files are all sent before it. @throws FileRefusedError | PlatformRefusal | NoAnswerError */
  readonly notify: (notice: Notice) => Promise<void>;
  /** Hands a task over and waits for its end. @throws PlatformRefusal | NoAnswerError */
  readonly delegate: (task: Delegated) => Promise<{ taskId: string; state: TaskState }>;
  /** @throws FileRefusedError | PlatformRefusal | NoAnswerError */
  readonly upload: (files: readonly (string | LocalFile)[]) => Promise<readonly UploadedFile[]>;
}

const DELEGATE_WAIT_MS = 600_000;

/** The connection of one agent to its workspace. Nothing is sent before the first call. */
export async function connectWorkspace(options: WorkspaceOptions): Promise<ConnectedWorkspace> {
  const { folder, platformUrl, workspaceId } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const credentials = credentialFiles({ folder, fixedToken: options.token });
  const client = platformClient({ platformUrl, workspaceId, credentials });
  const upload: ConnectedWorkspace["upload"] = (files) => uploadFiles(client, files.map(localFile));
  return {
    client,
    credentials,
    register: client.register,
    beat: (beat = {}) => client.heartbeat(beat),
    serve: async ({ agent, card, ...more }) => {
      const workspaceDir = path.join(folder, "workspace");
      await mkdir(workspaceDir, { recursive: true });
      return await serveAgent({
        listen: { host: "127.0.0.1", port: 0 },
        homeDir: folder,
        roots: { "/workspace": workspaceDir },
        ...more,
        client,
        credentials,
        adapter: typeof agent === "function" ? answering(card.name, agent) : agent,
        card: { description: card.name, version: "1.0.0", skills: [], ...card },
      });
    },
    notify: async ({ message, files = [] }) => {
      const attachments = await upload(files);
      await client.notify(
        attachments.length === 0 ? { message } : { message, attachments: [...attachments] },
      );
    },
    delegate: async ({ peer, task, waitMs = DELEGATE_WAIT_MS, signal }) => {
      const found = findPeer(await client.peers(), peer);
      if (found.kind !== "found") throw new PlatformRefusal(404, found.sentence);
      const { delegationId } = await client.delegate({ target_id: found.peer.id, task });
      const state = await stateOfTask(client, { taskId: delegationId, waitMs, signal });
      return { taskId: delegationId, state };
    },
    upload,
  };
}

function localFile(file: string | LocalFile): LocalFile {
  return typeof file === "string" ? { path: file } : file;
}
