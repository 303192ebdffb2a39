"use client";
import type { ApprovalView } from "@molecule/contracts/approvals";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTRPC } from "../../trpc/client.tsx";
import { useNow } from "../clock/clock.tsx";
import { useStreamEvents } from "../session/connection.tsx";
import { useOrganisation } from "../store/node-store.tsx";
import { stillWaiting } from "./approval-text.ts";

const TELLING = new Set<string>(["APPROVAL_REQUESTED", "APPROVAL_APPROVED", "APPROVAL_DENIED"]);

/**
 * What agents ask for and nobody has answered, oldest first. The snapshot says whether there is anything
 * to load and an event says when it changed, so a page without requests asks for nothing.
 */
export function useApprovals(): readonly ApprovalView[] {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const waitedAtStart = useOrganisation()?.platform.openApprovals ?? 0;
  const [isTold, setIsTold] = useState(false);
  useStreamEvents((events) => {
    if (!events.some(({ event }) => TELLING.has(event))) return;
    setIsTold(true);
    // A refresh that fails leaves what is shown.
    void queryClient.invalidateQueries(trpc.approvals.pending.queryFilter());
  });
  const { data } = useQuery(
    trpc.approvals.pending.queryOptions(undefined, { enabled: waitedAtStart > 0 || isTold }),
  );
  const loaded = data ?? [];
  // The clock moves only while there is something to count down.
  return stillWaiting(loaded, useNow(loaded.length > 0));
}
