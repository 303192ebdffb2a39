"use client";
import clsx from "clsx";
import { Tooltip } from "../../ui/tooltip.tsx";
import { formatTime } from "../clock/format.ts";
import { useConnection, useRetryNow } from "../session/connection.tsx";
import { useNodes } from "../store/node-store.tsx";
import type { StreamState } from "../stream/stream-client.ts";

/** Says whether what is shown is what is. */
export function LivePill() {
  const connection = useConnection();
  const retryNow = useRetryNow();
  const asOf = useNodes((state) => state.asOf);
  if (connection.kind !== "ready") return null;
  const { stream } = connection;
  const isOffline = stream.kind === "offline";
  const pill = (
    <button
      type="button"
      onClick={isOffline ? retryNow : undefined}
      className={clsx(
        "inline-flex h-7 items-center gap-2 rounded-full px-2.5 text-xs whitespace-nowrap text-muted hover:bg-hover",
        isOffline && "bg-warn-tint text-warn",
      )}
    >
      <Dot stream={stream} />
      <span className={clsx(!isOffline && "max-lg:sr-only")} role="status">
        {words(stream)}
      </span>
    </button>
  );
  return <Tooltip label={explanation(stream, asOf)}>{pill}</Tooltip>;
}

function Dot({ stream }: { stream: StreamState }) {
  return (
    <span
      aria-hidden="true"
      className={clsx(
        "size-2 rounded-full",
        stream.kind === "live" && "bg-status-online",
        stream.kind === "catching-up" && "bg-status-provisioning",
        stream.kind === "offline" && "border-2 border-warn",
      )}
    />
  );
}

function words(stream: StreamState): string {
  switch (stream.kind) {
    case "live":
      return "Live";
    case "catching-up":
      return stream.count === 0 ? "Connecting" : `Catching up (${stream.count})`;
    case "offline":
      return `Offline since ${formatTime(stream.sinceMs)}`;
    case "signed-out":
      return "Signed out";
  }
}

function explanation(stream: StreamState, asOf: string | null): string {
  if (stream.kind !== "offline") return "Changes appear here as they happen.";
  const when = asOf === null ? "" : `What you see is as of ${formatTime(Date.parse(asOf))}. `;
  return `${when}It reconnects by itself; click to try now.`;
}
