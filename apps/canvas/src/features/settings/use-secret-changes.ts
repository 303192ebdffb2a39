"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { useTRPC } from "../../trpc/client.tsx";
import { useNodeStore } from "../store/node-store.tsx";
import { doneText } from "./reach-text.ts";

/** Saving and removing secrets of the organisation; what shows them is asked again afterwards. */
export function useSecretChanges(onDone: () => void) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const nodes = useNodeStore();
  const settled = (key: string, isSet: boolean) => {
    // The create sheet asks for keys that are not set; the snapshot told which those are.
    nodes.setState(({ organisation }) => {
      if (organisation === null) return {};
      const others = organisation.globalSecretKeys.filter((known) => known !== key);
      const globalSecretKeys = isSet ? [...others, key].sort() : others;
      return { organisation: { ...organisation, globalSecretKeys } };
    });
    void queryClient.invalidateQueries(trpc.settings.secretReach.queryFilter());
    void queryClient.invalidateQueries(trpc.config.secrets.queryFilter());
    return queryClient.invalidateQueries(trpc.settings.secrets.queryFilter());
  };
  const put = useMutation(
    trpc.settings.putSecret.mutationOptions({
      onSuccess: async ({ affected }, { key }) => {
        await settled(key, true);
        toast.success(`${key} is saved`, { description: doneText(affected) });
        onDone();
      },
    }),
  );
  const remove = useMutation(
    trpc.settings.removeSecret.mutationOptions({
      onSuccess: async ({ affected }, { key }) => {
        await settled(key, false);
        toast.success(`${key} is deleted`, { description: doneText(affected) });
        onDone();
      },
    }),
  );
  return { put, remove };
}
