"use client";
import type { SweepHoldView } from "@molecule/contracts/sweeps";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTRPC } from "../../trpc/client.tsx";
import { useStreamEvents } from "../session/connection.tsx";
import { useOrganisation } from "../store/node-store.tsx";

export interface SweepHolds {
  /** Questions that stand and were not confirmed; empty until they are loaded. */
  readonly holds: readonly SweepHoldView[];
  /** Those that nobody has answered, also before they are loaded. */
  readonly openCount: number;
}

/**
 * What sweeps ask. The snapshot says whether there is anything to load and an event says when it
 * changed, so a page without questions asks for nothing; `isLookedAt` loads in any case.
 */
export function useSweepHolds(isLookedAt: boolean): SweepHolds {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const openAtStart = useOrganisation()?.platform.openHolds ?? 0;
  const [isTold, setIsTold] = useState(false);
  useStreamEvents((events) => {
    if (!events.some(({ event }) => event === "SWEEP_ACTED")) return;
    setIsTold(true);
    // A refresh that fails leaves what is shown.
    void queryClient.invalidateQueries(trpc.sweeps.holds.queryFilter());
  });
  const { data } = useQuery(
    trpc.sweeps.holds.queryOptions(undefined, {
      enabled: openAtStart > 0 || isTold || isLookedAt,
    }),
  );
  const holds = (data ?? []).filter(({ state }) => state !== "confirmed");
  const openCount =
    data === undefined ? openAtStart : holds.filter(({ state }) => state === "open").length;
  return { holds, openCount };
}
