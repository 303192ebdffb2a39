"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import {
  Copy,
  Download,
  Ellipsis,
  KeyRound,
  Moon,
  Network,
  OctagonX,
  Pause,
  Play,
  Plug,
  RotateCw,
  SquareTerminal,
  Trash2,
} from "lucide-react";
import { toast } from "sonner";
import { IconButton } from "../../../ui/button.tsx";
import { Menu, MenuItem, MenuSeparator } from "../../../ui/menu.tsx";
import { isRetrying } from "../../status/card-line.ts";
import { useUiStore } from "../../store/ui-store.tsx";
import { useWorkspaceActions } from "../../workspace-actions/use-workspace-actions.ts";

/** Everything else that can be done to the workspace. */
export function PanelMenu({ node }: { node: WorkspaceNode }) {
  const actions = useWorkspaceActions();
  const ui = useUiStore();
  const isStopped =
    node.status === "paused" || node.status === "hibernated" || node.status === "hibernating";
  const isExternal = node.backend === "external";
  const copyId = async () => {
    await navigator.clipboard.writeText(node.id);
    toast("Workspace id copied");
  };
  return (
    <Menu
      trigger={
        <IconButton label={`Actions for ${node.name}`} size="sm">
          <Ellipsis size={16} aria-hidden="true" />
        </IconButton>
      }
    >
      {isExternal ? (
        <>
          <MenuItem icon={<Plug size={14} />} onSelect={() => actions.showConnection(node.id)}>
            How it connects
          </MenuItem>
          <MenuItem icon={<KeyRound size={14} />} onSelect={() => actions.askRotate(node.id)}>
            Rotate token…
          </MenuItem>
        </>
      ) : null}
      <MenuItem
        icon={<RotateCw size={14} />}
        keys="R"
        isDisabled={isStopped}
        onSelect={() => void actions.restart(node.id)}
      >
        Restart
      </MenuItem>
      {isRetrying(node) ? (
        <MenuItem icon={<OctagonX size={14} />} onSelect={() => void actions.stopTrying(node.id)}>
          Stop trying
        </MenuItem>
      ) : null}
      {isStopped ? (
        <MenuItem icon={<Play size={14} />} onSelect={() => void actions.resume(node.id)}>
          {node.status === "paused" ? "Resume" : "Wake"}
        </MenuItem>
      ) : (
        <MenuItem icon={<Pause size={14} />} onSelect={() => void actions.pause(node.id)}>
          Pause
        </MenuItem>
      )}
      {isExternal || isStopped ? null : (
        <MenuItem
          icon={<Moon size={14} />}
          isDisabled={node.status !== "online" && node.status !== "degraded"}
          onSelect={() => void actions.hibernate(node.id)}
        >
          Sleep until a message
        </MenuItem>
      )}
      <MenuItem
        icon={<SquareTerminal size={14} />}
        onSelect={() => ui.setState({ terminalOf: node.id })}
      >
        Terminal
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={<Network size={14} />} onSelect={() => actions.addUnder(node.id)}>
        Add agent below
      </MenuItem>
      <MenuItem icon={<Download size={14} />} onSelect={() => void actions.exportTree(node.id)}>
        Export
      </MenuItem>
      <MenuItem icon={<Copy size={14} />} onSelect={() => void copyId()}>
        Copy id
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={<Trash2 size={14} />} isDanger onSelect={() => actions.askRemove(node.id)}>
        Delete
      </MenuItem>
    </Menu>
  );
}
