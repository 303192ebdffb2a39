"use client";
import { part } from "./part.tsx";

/** The parts of the page that its first draw does without. */
export const PARTS = {
  canvas: part(async () => (await import("../graph/canvas.tsx")).Canvas),
  emptyCanvas: part(async () => (await import("../create/empty-canvas.tsx")).EmptyCanvas),
  phoneHome: part(async () => (await import("./phone-home.tsx")).PhoneHome),
  rail: part(async () => (await import("./rail.tsx")).Rail),
  panel: part(async () => (await import("../panel/panel.tsx")).Panel),
  shortcuts: part(async () => (await import("../commands/shortcuts.ts")).Shortcuts),
  commandMenu: part(async () => (await import("../commands/command-menu.tsx")).CommandMenu),
  cheatSheet: part(async () => (await import("../commands/cheat-sheet.tsx")).CheatSheet),
  createSheet: part(async () => (await import("../create/create-sheet.tsx")).CreateSheet),
  teamSheet: part(async () => (await import("../import/team-sheet.tsx")).TeamSheet),
  importPanel: part(async () => (await import("../import/import-panel.tsx")).ImportPanel),
  dropZone: part(async () => (await import("../import/drop-zone.tsx")).DropZone),
  settingsSheet: part(async () => (await import("../settings/settings-sheet.tsx")).SettingsSheet),
  cardMenu: part(async () => (await import("../workspace-actions/card-menu.tsx")).CardMenu),
  deleteDialog: part(
    async () => (await import("../workspace-actions/delete-dialog.tsx")).DeleteDialog,
  ),
  connectDialog: part(async () => (await import("../connect/connect-dialog.tsx")).ConnectDialog),
  rotateDialog: part(async () => (await import("../connect/rotate-dialog.tsx")).RotateDialog),
  terminal: part(async () => (await import("../terminal/terminal-drawer.tsx")).TerminalDrawer),
  problemsMenu: part(async () => (await import("./problems-menu.tsx")).ProblemsMenu),
  themeMenu: part(async () => (await import("./account-menu.tsx")).ThemeMenu),
  accountMenu: part(async () => (await import("./account-menu.tsx")).AccountMenu),
} as const;

/** Fetches every part, so that all of the page works while the platform is away. */
export function fetchAllParts(): void {
  for (const each of Object.values(PARTS)) each.fetchNow();
}
