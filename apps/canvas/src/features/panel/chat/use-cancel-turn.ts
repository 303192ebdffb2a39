"use client";
import { useMutation } from "@tanstack/react-query";
import { toast } from "sonner";
import { useTRPC } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";

/** Stops the running turn, or takes back the newest message that waits. */
export function useCancelTurn() {
  const trpc = useTRPC();
  return useMutation(
    trpc.chat.cancel.mutationOptions({
      onSuccess: (result) => {
        if (!result.cancelled) toast("There was nothing left to stop.");
      },
      onError: (error) => {
        const problem = readProblem(error);
        toast.error(problem.sentence, { description: problem.next });
      },
    }),
  );
}
