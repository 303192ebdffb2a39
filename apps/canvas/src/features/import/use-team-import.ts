"use client";
import { type OrgPreview, orgPreview } from "@molecule/contracts/orgs";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type Client, useTRPC, useTRPCClient } from "../../trpc/client.tsx";
import { navigate } from "../location/use-route.ts";
import { idOfSource, type TeamSource } from "./model/team-source.ts";

/** Where the team goes and whether it starts. */
export interface TeamPlace {
  readonly parentId: string | null;
  readonly stage: boolean;
}

/** What importing the team would do now. Changes nothing. */
export function useTeamPreview(source: TeamSource | null, place: TeamPlace) {
  const client = useTRPCClient();
  const sourceId = source === null ? null : idOfSource(source);
  return useQuery({
    queryKey: ["team-preview", sourceId, place],
    queryFn: () => (source === null ? Promise.reject() : previewTeam(client, source, place)),
    enabled: source !== null,
    // What it would do depends on everything that is there.
    staleTime: 0,
    gcTime: 0,
    retry: false,
    // While the place changes, never while the team does.
    placeholderData: (before, query) => (query?.queryKey[1] === sourceId ? before : undefined),
  });
}

async function previewTeam(
  client: Client,
  source: TeamSource,
  place: TeamPlace,
): Promise<OrgPreview> {
  if (source.kind === "archive") {
    const answer = await sendArchive(source.archive, place, { dry_run: "true" });
    return orgPreview.parse(answer.preview);
  }
  return await client.orgs.previewImport.mutate({ source: sourceOf(source), ...place });
}

/**
 * Saves the typed keys for the organisation, then imports. The page goes to the import's own address at
 * once, so that a reload finds it; a refusal brings the preview back.
 */
export function useTeamImport(source: TeamSource | null, place: TeamPlace) {
  const client = useTRPCClient();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (keys: Readonly<Record<string, string>>) => {
      if (source === null) return;
      for (const [key, value] of Object.entries(keys)) {
        if (value.trim() !== "")
          await client.settings.putSecret.mutate({ key, value: value.trim() });
      }
      const importId = crypto.randomUUID();
      const dir = source.kind === "dir" ? source.dir : null;
      navigate({ kind: "import", importId, dir, parentId: place.parentId }, { replace: true });
      try {
        if (source.kind === "archive") {
          await sendArchive(source.archive, place, { import_id: importId });
        } else {
          await client.orgs.startImport.mutate({ source: sourceOf(source), ...place, importId });
        }
      } catch (error) {
        // A new page of the same import may have been left meanwhile.
        if (window.location.pathname.endsWith(importId)) {
          navigate(
            { kind: "import", importId: null, dir, parentId: place.parentId },
            { replace: true },
          );
        }
        throw error;
      }
      await queryClient.invalidateQueries(trpc.orgs.readImport.queryFilter({ id: importId }));
    },
    onSettled: () => {
      void queryClient.invalidateQueries(trpc.settings.secrets.queryFilter());
      void queryClient.invalidateQueries(trpc.orgs.listImports.queryFilter());
    },
  });
}

function sourceOf(source: Exclude<TeamSource, { kind: "archive" }>) {
  return source.kind === "dir"
    ? ({ kind: "dir", dir: source.dir } as const)
    : ({ kind: "files", files: source.files } as const);
}

/** The plain route, because an archive is no JSON. Throws the platform's own error body. */
async function sendArchive(
  archive: Blob,
  { parentId, stage }: TeamPlace,
  options: Readonly<Record<string, string>>,
): Promise<{ readonly preview?: unknown }> {
  const query = new URLSearchParams({
    ...options,
    ...(parentId === null ? {} : { parent: parentId }),
    ...(stage ? { stage: "true" } : {}),
  });
  const answer = await fetch(`/org/import?${query}`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: archive,
  });
  const body: unknown = await answer.json();
  if (!answer.ok) throw Object.assign(new Error("The import was refused."), body);
  return body as { preview?: unknown };
}
