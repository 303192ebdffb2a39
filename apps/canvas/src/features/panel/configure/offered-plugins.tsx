"use client";
import type { InstalledPlugin, OfferedPlugin, PluginOffer } from "@molecule/contracts/plugins";
import { Button } from "../../../ui/button.tsx";
import type { useFetchPlugin } from "./use-fetch-plugin.ts";

type Fetching = Pick<ReturnType<typeof useFetchPlugin>, "pending" | "start">;

/** The plugins of the operator's folder, each with a button; a folder that is none says why. */
export function OfferedPlugins(props: {
  offer: PluginOffer;
  installed: readonly InstalledPlugin[];
  fetching: Fetching;
}) {
  const { offer, installed, fetching } = props;
  return (
    <div className="flex flex-col gap-2">
      <h4 className="text-sm font-medium text-ink">Offered here</h4>
      {offer.plugins.length === 0 ? (
        <p className="text-xs text-muted">
          The operator offers none. A folder with a plugin.yaml under PLUGIN_LOCAL_DIR is one.
        </p>
      ) : (
        <ul className="divide-y">
          {offer.plugins.map((plugin) => (
            <Offered
              key={plugin.name}
              plugin={plugin}
              version={installed.find(({ name }) => name === plugin.name)?.version}
              fetching={fetching}
            />
          ))}
        </ul>
      )}
      {offer.broken.map(({ name, cause }) => (
        <p key={name} className="text-xs text-muted">
          <span className="font-mono">{name}</span> cannot be used: {cause}
        </p>
      ))}
    </div>
  );
}

function Offered(props: {
  plugin: OfferedPlugin;
  /** Installed one; undefined: none. */
  version: string | undefined;
  fetching: Fetching;
}) {
  const { plugin, version, fetching } = props;
  const isThis = fetching.pending === plugin.source;
  const verb =
    version === undefined ? "Install" : version === plugin.version ? "Reinstall" : "Update";
  return (
    <li className="flex flex-wrap items-start gap-2 py-2 first:pt-0">
      <div className="min-w-40 flex-1 text-xs text-muted">
        <p className="text-sm text-ink">
          {plugin.name} <span className="text-muted">{plugin.version}</span>
        </p>
        {plugin.description === "" ? null : <p>{plugin.description}</p>}
        {plugin.isSupported ? null : <p className="text-warn">It is {plugin.support}.</p>}
      </div>
      <Button
        size="sm"
        aria-label={`${verb} ${plugin.name}`}
        isBusy={isThis}
        disabled={fetching.pending !== null}
        onClick={() => fetching.start({ source: plugin.source, sha256: "" })}
      >
        {verb}
      </Button>
    </li>
  );
}
