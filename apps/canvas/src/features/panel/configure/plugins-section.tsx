"use client";
import type { ConfigDocument } from "@molecule/contracts/panel";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTRPC } from "../../../trpc/client.tsx";
import { AddPlugin } from "./add-plugin.tsx";
import { PluginRow } from "./plugin-row.tsx";
import { usePluginDrafts } from "./use-plugin-drafts.ts";

/**
 * The plugins an agent has, those that wait to be saved, and where more come from. Loading, and a load
 * that failed, are told by the settings: it is the same document.
 */
export function PluginsSection({ node }: { node: WorkspaceNode }) {
  const trpc = useTRPC();
  const query = useQuery(trpc.config.document.queryOptions({ workspaceId: node.id }));
  if (query.data === undefined) return null;
  return (
    <section aria-labelledby="plugins-heading" className="flex flex-col gap-3 p-4">
      <div>
        <h3 id="plugins-heading" className="text-sm font-medium text-ink">
          Plugins
        </h3>
        <p className="text-xs text-muted">
          Skills and files that others have written, kept as they are under /configs/plugins.
        </p>
      </div>
      <PluginList node={node} document={query.data} />
    </section>
  );
}

function PluginList({ node, document }: { node: WorkspaceNode; document: ConfigDocument }) {
  const installed = document.installedPlugins;
  const { drafts, install, uninstall, undo } = usePluginDrafts(node.id, installed);
  const [told, setTold] = useState({ text: "", version: 0 });
  const tell = (text: string) => setTold({ text, version: document.version });
  const known = new Set(installed.map(({ name }) => name));
  const added = Object.keys(drafts)
    .filter((name) => !known.has(name))
    .toSorted();
  const leaving = document.leavingPlugins.filter((name) => !known.has(name));
  const named = document.plugins.filter((name) => !known.has(name));
  const isOurs = document.capabilities.restart;
  const undoTold = (name: string) => {
    undo(name);
    tell(`${name} is as it was.`);
  };
  return (
    <>
      {installed.length + added.length === 0 ? (
        <p className="text-sm text-muted">None yet. An agent works without any.</p>
      ) : (
        <ul className="divide-y rounded-lg border">
          {installed.map((plugin) => (
            <PluginRow
              key={plugin.name}
              name={plugin.name}
              plugin={plugin}
              showsRunning={isOurs && document.effective !== null}
              draft={drafts[plugin.name]}
              onUninstall={() => {
                uninstall(plugin.name);
                tell(`${plugin.name} is removed with your changes.`);
              }}
              onUndo={() => undoTold(plugin.name)}
            />
          ))}
          {added.map((name) => (
            <PluginRow
              key={`new:${name}`}
              name={name}
              plugin={null}
              showsRunning={false}
              draft={drafts[name]}
              onUninstall={() => undoTold(name)}
              onUndo={() => undoTold(name)}
            />
          ))}
        </ul>
      )}
      {leaving.length === 0 ? null : (
        <p className="text-xs text-muted">
          Uninstalled, and with the running agent until its next restart: {leaving.join(", ")}.
        </p>
      )}
      {named.length === 0 ? null : (
        <p className="text-xs text-muted">
          Named in config.yaml and not installed: {named.join(", ")}.
        </p>
      )}
      <p role="status" className="text-xs text-muted empty:hidden">
        {/* What was told of staged changes is over once they are saved. */}
        {told.version === document.version ? told.text : ""}
      </p>
      <AddPlugin
        workspaceId={node.id}
        installed={installed}
        onFetched={(fetched) => {
          const { name, version, sha256 } = fetched.plugin;
          const isThere = installed.some((one) => one.name === name && one.sha256 === sha256);
          install(fetched);
          tell(
            isThere
              ? `${name} ${version} is installed already.`
              : `${name} ${version} is checked and is installed with your changes.`,
          );
        }}
      />
    </>
  );
}
