"use client";
import { DropdownMenu } from "radix-ui";
import { Fragment } from "react";
import { MenuItem, MenuPanel, MenuSeparator } from "../../ui/menu.tsx";
import { COMMANDS } from "../commands/commands.ts";
import { shownKeys } from "../commands/shown-keys.ts";
import { useCommandContext } from "../commands/use-command-context.ts";
import { useIsMac } from "../commands/use-is-mac.ts";
import { useUi, useUiStore } from "../store/ui-store.tsx";

/** Commands that begin a new group of the menu. */
const GROUP_STARTS = new Set(["rename", "restart", "delete"]);

/** The menu of one workspace; there is one on the page and it hangs wherever it was asked for. */
export function CardMenu() {
  const ui = useUiStore();
  const menu = useUi((state) => state.menu);
  const contextOf = useCommandContext();
  const isMac = useIsMac();
  if (menu === null) return null;
  const context = contextOf(menu.id);
  const commands = COMMANDS.filter(
    (command) => command.section === "workspace" && command.isShown(context),
  );
  return (
    <DropdownMenu.Root
      open
      modal={false}
      onOpenChange={(open) => (open ? undefined : ui.setState({ menu: null }))}
    >
      <DropdownMenu.Trigger asChild>
        <span
          aria-hidden="true"
          className="pointer-events-none fixed size-0"
          style={{ left: menu.x, top: menu.y }}
        />
      </DropdownMenu.Trigger>
      <MenuPanel label={`Actions of ${context.node?.name ?? "this agent"}`} align="start">
        {commands.map((command, index) => (
          <Fragment key={command.id}>
            {index > 0 && GROUP_STARTS.has(command.id) ? <MenuSeparator /> : null}
            <MenuItem
              icon={<command.icon size={15} aria-hidden="true" />}
              keys={command.keys === null ? undefined : shownKeys(command.keys, isMac)}
              isDanger={command.isDanger === true}
              onSelect={() => command.run(context)}
            >
              {command.title}
            </MenuItem>
          </Fragment>
        ))}
      </MenuPanel>
    </DropdownMenu.Root>
  );
}
