import { activityRouter } from "./routers/activity.ts";
import { approvalsRouter } from "./routers/approvals.ts";
import { canvasRouter } from "./routers/canvas.ts";
import { chatRouter } from "./routers/chat.ts";
import { configRouter } from "./routers/config.ts";
import { filesRouter } from "./routers/files.ts";
import { layoutRouter } from "./routers/layout.ts";
import { memoriesRouter } from "./routers/memories.ts";
import { orgsRouter } from "./routers/orgs.ts";
import { pluginsRouter } from "./routers/plugins.ts";
import { registryRouter } from "./routers/registry.ts";
import { schedulesRouter } from "./routers/schedules.ts";
import { sessionRouter } from "./routers/session.ts";
import { settingsRouter } from "./routers/settings.ts";
import { sweepsRouter } from "./routers/sweeps.ts";
import { templatesRouter } from "./routers/templates.ts";
import { terminalRouter } from "./routers/terminal.ts";
import { tokensRouter } from "./routers/tokens.ts";
import { workspacesRouter } from "./routers/workspaces.ts";
import { router } from "./trpc.ts";

/** Every procedure; composition only. */
export const appRouter = router({
  session: sessionRouter,
  canvas: canvasRouter,
  workspaces: workspacesRouter,
  layout: layoutRouter,
  chat: chatRouter,
  activity: activityRouter,
  approvals: approvalsRouter,
  files: filesRouter,
  config: configRouter,
  memories: memoriesRouter,
  plugins: pluginsRouter,
  schedules: schedulesRouter,
  settings: settingsRouter,
  sweeps: sweepsRouter,
  registry: registryRouter,
  terminal: terminalRouter,
  tokens: tokensRouter,
  templates: templatesRouter,
  orgs: orgsRouter,
});
/** The API as clients see it; browsers import this type and nothing else from the package. */
export type AppRouter = typeof appRouter;
