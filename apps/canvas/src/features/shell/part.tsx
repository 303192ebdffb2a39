"use client";
import { Component, type ComponentType, lazy, memo, type ReactNode } from "react";
import { Button } from "../../ui/button.tsx";
import { ErrorState } from "../../ui/state.tsx";

/** Waits between tries to fetch a part, in ms; then it counts as failed. */
const RETRY_AFTER_MS = [500, 2_000, 6_000] as const;

/** A part of the page that is fetched when it is first shown, or beforehand by `fetchNow`. */
export interface Part<P> {
  readonly View: ComponentType<P>;
  /** Fetches the part without showing it; a failure is left for the time it is shown. */
  readonly fetchNow: () => void;
}

/**
 * Makes a part of the page out of its import. A fetch that fails is tried again a few times. It is drawn
 * again for what it reads and for other props, never because the address above it changed.
 */
export function part<P extends object>(load: () => Promise<ComponentType<P>>): Part<P> {
  const loadAgain = async (tries: number): Promise<ComponentType<P>> => {
    try {
      return await load();
    } catch (error) {
      const delayMs = RETRY_AFTER_MS[tries];
      if (delayMs === undefined) throw error;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      return loadAgain(tries + 1);
    }
  };
  return {
    View: memo(lazy(async () => ({ default: await loadAgain(0) }))) as ComponentType<P>,
    fetchNow: () => void load().catch(() => {}),
  };
}

/** Keeps a part that could not be fetched or drawn from taking the page with it. */
export class PartBoundary extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <div className="fixed right-4 bottom-4 z-50 rounded-xl border border-line-strong bg-card shadow-layer">
        <ErrorState
          title="A part of this page could not be shown."
          detail={
            <>
              Your work is kept. Load the page again when the platform answers.
              <Button className="mt-3" onClick={() => window.location.reload()}>
                Load again
              </Button>
            </>
          }
        />
      </div>
    );
  }
}
