"use client";
import type { TemplateView } from "@molecule/contracts/workspaces";
import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "../../trpc/client.tsx";
import { useOrganisation } from "../store/node-store.tsx";

/** What a new agent can be made of, as it is now. */
export interface Choices {
  /** Broken ones too. */
  readonly templates: readonly TemplateView[];
  /** Keys of the organisation that are set and can be read. */
  readonly setKeys: readonly string[];
  readonly reload: () => Promise<unknown>;
}

/**
 * Templates and set keys: at once those the page was opened with, then the present ones, and again when
 * the person comes back to the page from where they have set a key or changed a template.
 */
export function useChoices(): Choices {
  const trpc = useTRPC();
  const organisation = useOrganisation();
  const fresh = { refetchOnMount: "always", refetchOnWindowFocus: "always" } as const;
  const templates = useQuery(trpc.templates.list.queryOptions(undefined, fresh));
  const secrets = useQuery(trpc.settings.secrets.queryOptions(undefined, fresh));
  const readable = secrets.data?.filter(({ mustReenter }) => !mustReenter);
  return {
    templates: templates.data ?? organisation?.templates ?? [],
    setKeys: readable?.map(({ key }) => key) ?? organisation?.globalSecretKeys ?? [],
    reload: templates.refetch,
  };
}
