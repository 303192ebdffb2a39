import type { AttemptDetail, StageMark, WorkspaceConfig } from "@molecule/contracts/workspaces";

export type { AttemptDetail, StageMark, WorkspaceConfig };
