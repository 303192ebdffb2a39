import clsx from "clsx";
import type { ReactNode } from "react";
import type { StatusView, Tone } from "./status-view.ts";

const COLOURS: Readonly<Record<Tone, string>> = {
  online: "text-status-online",
  provisioning: "text-status-provisioning",
  restarting: "text-status-restarting",
  degraded: "text-status-degraded",
  failed: "text-status-failed",
  paused: "text-status-paused",
  hibernated: "text-status-paused",
  offline: "text-status-offline",
  awaiting: "text-status-awaiting",
};

/** The text colour class of a tone. */
export function toneColour(tone: Tone): string {
  return COLOURS[tone];
}

const VARIABLES: Readonly<Record<Tone, string>> = {
  online: "var(--status-online)",
  provisioning: "var(--status-provisioning)",
  restarting: "var(--status-restarting)",
  degraded: "var(--status-degraded)",
  failed: "var(--status-failed)",
  paused: "var(--status-paused)",
  hibernated: "var(--status-paused)",
  offline: "var(--status-offline)",
  awaiting: "var(--status-awaiting)",
};

/** The colour of a tone as a CSS value, where no class can go. */
export function toneValue(tone: Tone): string {
  return VARIABLES[tone];
}

/** The quiet fill of a tile: what needs a person stands out, what is well does not. */
export function tileColour(tone: Tone): string {
  const share = tone === "failed" || tone === "degraded" ? 26 : tone === "online" ? 9 : 14;
  return `color-mix(in srgb, ${VARIABLES[tone]} ${share}%, var(--card))`;
}

export interface StatusGlyphProps {
  status: Pick<StatusView, "tone" | "isBusy">;
  /** In px; 14 unless it says otherwise. */
  size?: number;
  /** Never moves: in lists, and where a card is small and many are in view. */
  isStill?: boolean;
}

/** The shape of a state. The word beside it carries the meaning. */
export function StatusGlyph({ status, size = 14, isStill = false }: StatusGlyphProps) {
  const isTurning = status.isBusy || status.tone === "provisioning" || status.tone === "restarting";
  return (
    <svg
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      // The whole picture turns and not a part of it: that costs the page no repaint.
      className={clsx("shrink-0", COLOURS[status.tone], isTurning && !isStill && "animate-turn")}
      aria-hidden="true"
    >
      {status.isBusy ? BUSY : SHAPES[status.tone]}
    </svg>
  );
}

/** At work: an edge around the dot. Only an agent that is up can be at work, so its dot is the steady one. */
const BUSY = (
  <>
    <circle cx="8" cy="8" r="3" fill="currentColor" stroke="none" />
    <circle cx="8" cy="8" r="6.25" strokeWidth="1.5" opacity="0.28" />
    <path d="M8 1.75A6.25 6.25 0 0 1 14.25 8" strokeWidth="1.5" />
  </>
);

const SHAPES: Readonly<Record<Tone, ReactNode>> = {
  online: <circle cx="8" cy="8" r="4.25" fill="currentColor" stroke="none" />,
  provisioning: <path d="M8 2.5a5.5 5.5 0 1 1-5.5 5.5" />,
  restarting: (
    <>
      <path d="M13.2 6.5A5.4 5.4 0 1 0 13.4 9" />
      <path d="M13.6 2.8v3.9H9.8" />
    </>
  ),
  degraded: <path d="M8 2.2 14.4 13.4H1.6Z" fill="currentColor" strokeWidth="1" />,
  failed: (
    <>
      <path
        d="M5.3 1.7h5.4l3.6 3.6v5.4l-3.6 3.6H5.3l-3.6-3.6V5.3Z"
        fill="currentColor"
        strokeWidth="1"
      />
      <path d="m6 6 4 4m0-4-4 4" className="stroke-card" strokeWidth="1.75" />
    </>
  ),
  paused: <path d="M5.5 3.5v9M10.5 3.5v9" strokeWidth="2.75" />,
  hibernated: (
    <path
      d="M12.8 9.9A5.6 5.6 0 0 1 6.1 3.2a5.6 5.6 0 1 0 6.7 6.7Z"
      fill="currentColor"
      strokeWidth="1"
    />
  ),
  offline: <circle cx="8" cy="8" r="4.5" />,
  awaiting: <circle cx="8" cy="8" r="5.25" strokeDasharray="2.2 3.3" />,
};
