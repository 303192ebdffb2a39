import type { RefreshResult } from "@molecule/contracts/fleet";
import type { SecretMark } from "@molecule/contracts/generations";
import type { AttemptDetail, StageMark, WorkspaceConfig } from "@molecule/contracts/workspaces";

export type { AttemptDetail, RefreshResult, SecretMark, StageMark, WorkspaceConfig };
