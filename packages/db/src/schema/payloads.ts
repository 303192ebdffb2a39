import type { RefreshResult } from "@molecule/contracts/fleet";
import type { AttemptDetail, StageMark, WorkspaceConfig } from "@molecule/contracts/workspaces";

export type { AttemptDetail, RefreshResult, StageMark, WorkspaceConfig };
