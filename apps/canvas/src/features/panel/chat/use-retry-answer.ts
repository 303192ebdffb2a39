"use client";
import { useMutation } from "@tanstack/react-query";
import { toast } from "sonner";
import { useTRPC } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";

/** Asks the platform to deliver a stored message again; the answer comes by event. */
export function useRetryAnswer() {
  const trpc = useTRPC();
  return useMutation(
    trpc.chat.retry.mutationOptions({
      onError: (error) => {
        const problem = readProblem(error);
        toast.error(problem.sentence, { description: problem.next });
      },
    }),
  );
}
