import type { AgentCard } from "@a2a-js/sdk";
import { type AgentExecutor, DefaultRequestHandler } from "@a2a-js/sdk/server";
import { agentCardHandler, jsonRpcHandler, UserBuilder } from "@a2a-js/sdk/server/express";
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import { normaliseCall } from "../a2a/normalise-message.ts";
import { BoundedTaskStore } from "../a2a/task-store.ts";
import type { CredentialFiles } from "../credential-files.ts";
import { fileRead, type RootFolders } from "../files/file-read.ts";
import { uploadIngest } from "../files/upload-ingest.ts";
import type { Log } from "../log.ts";
import { inboundAuth } from "./inbound-auth.ts";

/** What the routes need. */
export interface AgentAppDeps {
  readonly card: AgentCard;
  readonly executor: AgentExecutor;
  readonly credentials: CredentialFiles;
  /** Without `/workspace` the agent takes no uploads. */
  readonly roots: RootFolders;
  readonly log: Log;
  /** Body of `GET /health`. */
  readonly health: () => Readonly<Record<string, unknown>>;
}

/** Longest JSON-RPC body: the proxy's 1 MB and the envelope. Source: wire contract §6.1. */
const MAX_CALL_BYTES = "2mb";

/** Every route of a workspace. Open are health and the agent cards; all else needs the platform. */
export function agentApp(deps: AgentAppDeps): Express {
  const requestHandler = new DefaultRequestHandler(
    deps.card,
    new BoundedTaskStore(),
    deps.executor,
  );
  const legacyCompat = { enabled: true };
  const app = express();
  app.disable("x-powered-by");
  app.get("/health", (_req, res) => {
    res.json(deps.health());
  });
  const cards = agentCardHandler({
    agentCardProvider: requestHandler,
    legacyCompat,
    cache: { maxAge: 0 },
  });
  app.use("/.well-known/agent-card.json", cards);
  app.use("/.well-known/agent.json", cards);

  const platformOnly = inboundAuth(deps.credentials, "refuse");
  const uploadsInto = deps.roots["/workspace"];
  app.post(
    "/internal/chat/uploads/ingest",
    platformOnly,
    uploadsInto === undefined ? noUploads : uploadIngest(uploadsInto, deps.log),
  );
  app.get("/internal/file/read", platformOnly, fileRead(deps.roots, deps.log));

  const calls = express.Router();
  calls.use(inboundAuth(deps.credentials, "accept"));
  calls.use(express.json({ limit: MAX_CALL_BYTES }), (req, _res, next) => {
    req.body = normaliseCall(req.body);
    next();
  });
  calls.use(
    jsonRpcHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication, legacyCompat }),
  );
  app.use(calls);
  app.use((_req, res) => {
    res.status(404).json({ error: "There is nothing here." });
  });
  app.use(answerError(deps.log));
  return app;
}

const noUploads: RequestHandler = (_req, res) => {
  res.status(404).json({ error: "This agent takes no files." });
};

function answerError(log: Log): ErrorRequestHandler {
  return (error: unknown, _req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    const status = statusOf(error);
    if (status >= 500) log.error("a request failed", { error });
    const sentence =
      status === 413
        ? "The message is too long."
        : status < 500
          ? "The request could not be understood."
          : "The request failed because of an internal error.";
    res.status(status).json({ error: sentence });
  };
}

function statusOf(error: unknown): number {
  if (typeof error !== "object" || error === null || !("status" in error)) return 500;
  return typeof error.status === "number" && error.status >= 400 && error.status < 600
    ? error.status
    : 500;
}
