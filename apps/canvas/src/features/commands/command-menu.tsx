"use client";
import { Command as Menu } from "cmdk";
import { Dialog as Radix } from "radix-ui";
import { useState } from "react";
import { Keys } from "../../ui/keys.tsx";
import { StatusGlyph } from "../status/status-glyph.tsx";
import { statusView } from "../status/status-view.ts";
import { useNodesShallow } from "../store/node-store.tsx";
import { useUiStore } from "../store/ui-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { COMMANDS, type Command, type CommandContext } from "./commands.ts";
import { shownKeys } from "./shown-keys.ts";
import { useCommandContext } from "./use-command-context.ts";
import { useIsMac } from "./use-is-mac.ts";

const ITEM =
  "flex h-9 items-center gap-2.5 rounded-md px-2.5 text-sm text-ink outline-none select-none data-[selected=true]:bg-hover pointer-coarse:h-11";
const GROUP =
  "[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-3 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted";

/** Every verb and every agent behind one search field. */
export function CommandMenu() {
  const ui = useUiStore();
  const contextOf = useCommandContext();
  // The context of the moment it opened: running a command must not depend on what the menu itself changed.
  const [context] = useState(() => contextOf());
  const close = () => ui.setState({ layer: null });
  const run = (command: Command) => {
    close();
    command.run(context);
  };
  return (
    <Radix.Root open onOpenChange={close}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed top-[12vh] left-1/2 z-40 w-[calc(100vw-24px)] max-w-[600px] -translate-x-1/2 animate-fade overflow-hidden rounded-xl border border-line-strong bg-card shadow-layer focus-visible:outline-none"
        >
          <Radix.Title className="sr-only">Search and run</Radix.Title>
          <Menu label="Search and run" loop>
            <Menu.Input
              placeholder="Search agents and commands"
              className="h-12 w-full border-b bg-transparent px-4 text-md text-ink outline-none"
            />
            <Menu.List className="max-h-[min(56vh,440px)] overflow-y-auto overscroll-contain p-1.5 pt-0">
              <Menu.Empty className="px-3 py-10 text-center text-sm text-muted">
                Nothing found.
              </Menu.Empty>
              <CommandGroup
                heading={context.node?.name ?? ""}
                commands={shown(["workspace"], context)}
                onRun={run}
              />
              <AgentGroup onDone={close} />
              <CommandGroup
                heading="Canvas"
                commands={shown(["canvas", "panel"], context)}
                onRun={run}
              />
              <CommandGroup
                heading="General"
                commands={shown(["view"], context).filter((command) => command.id !== "commands")}
                onRun={run}
              />
            </Menu.List>
          </Menu>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function shown(
  sections: readonly Command["section"][],
  context: CommandContext,
): readonly Command[] {
  return COMMANDS.filter(
    (command) => sections.includes(command.section) && command.isShown(context),
  );
}

interface CommandGroupProps {
  heading: string;
  commands: readonly Command[];
  onRun: (command: Command) => void;
}

function CommandGroup({ heading, commands, onRun }: CommandGroupProps) {
  const isMac = useIsMac();
  if (commands.length === 0) return null;
  return (
    <Menu.Group heading={heading} className={GROUP}>
      {commands.map((command) => (
        <Menu.Item
          key={command.id}
          value={`${command.title} ${heading}`}
          onSelect={() => onRun(command)}
          className={ITEM}
        >
          <command.icon
            size={15}
            className={command.isDanger === true ? "text-danger" : "text-muted"}
            aria-hidden="true"
          />
          <span className="flex-1 truncate">{command.title}</span>
          {command.keys === null ? null : <Keys keys={shownKeys(command.keys, isMac)} />}
        </Menu.Item>
      ))}
    </Menu.Group>
  );
}

function AgentGroup({ onDone }: { onDone: () => void }) {
  const actions = useWorkspaceActions();
  const nodes = useNodesShallow((state) =>
    Object.values(state.byId).sort((a, b) => a.name.localeCompare(b.name)),
  );
  if (nodes.length === 0) return null;
  return (
    <Menu.Group heading="Agents" className={GROUP}>
      {nodes.map((node) => (
        <Menu.Item
          key={node.id}
          value={`${node.name} ${node.id}`}
          keywords={[node.role ?? "", node.runtime]}
          onSelect={() => {
            onDone();
            actions.open(node.id);
          }}
          className={ITEM}
        >
          <StatusGlyph status={statusView(node)} />
          <span className="truncate">{node.name}</span>
          <span className="flex-1 truncate text-muted">{node.role}</span>
          <span className="text-xs text-muted">{statusView(node).word}</span>
        </Menu.Item>
      ))}
    </Menu.Group>
  );
}
