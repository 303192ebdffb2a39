"use client";
import type { SaveInput } from "@molecule/contracts/panel";
import type { ApplyPolicy } from "@molecule/domain/sets";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTRPC, useTRPCClient } from "../../../trpc/client.tsx";
import { useNodes, useNodesShallow } from "../../store/node-store.tsx";
import { usePanelMemories, usePanelStore } from "../state/panel-provider.tsx";
import { configChanges } from "./config-draft.ts";
import { type StagedDraft, saveInputOf } from "./staged-save.ts";
import { idsBelow, type TeamMember, teamMember } from "./team-changes.ts";
import { settleDraft } from "./use-staged-draft.ts";

/** Who of a team, its head first, has something to apply; [] while nobody below the head has. */
export function useTeamMembers(workspaceId: string): readonly TeamMember[] {
  const ids = useNodesShallow((state) => [workspaceId, ...idsBelow(state.byId, workspaceId)]);
  const nodes = useNodes((state) => state.byId);
  const memories = usePanelMemories(ids);
  const members = ids.flatMap((id, index) => {
    const [node, memory] = [nodes[id], memories[index]];
    return (node && memory && teamMember(node, memory.draft)) ?? [];
  });
  const below = members.filter((member) => member.id !== workspaceId);
  if (below.length === 0) return below;
  const head = members.filter((member) => member.id === workspaceId);
  return [...head, ...below.toSorted((a, b) => a.name.localeCompare(b.name))];
}

/** Applies what several agents have staged or held, as one transaction: all of it or nothing. */
export function useTeamApply() {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const store = usePanelStore();
  const memoryOf = (id: string) => store.getState().byWorkspace[id] ?? store.load(id);
  const inputOf = async (member: TeamMember, apply: ApplyPolicy) => {
    const { draft } = memoryOf(member.id);
    const hasSettings = Object.keys(draft.config.mine).length > 0;
    const document = hasSettings
      ? await client.config.document.query({ workspaceId: member.id })
      : undefined;
    const isConflict =
      document !== undefined &&
      configChanges(draft.config, document.desired).some((change) => change.isConflict);
    if (isConflict) {
      const error = `${member.name} was changed by somebody else meanwhile.`;
      const next = `Open ${member.name} and decide which values stay.`;
      throw Object.assign(new Error(error), { code: "version_conflict", error, next });
    }
    const input = saveInputOf(member.id, draft, document, apply);
    return { draft, input: input ?? { workspaceId: member.id, apply } };
  };
  return useMutation({
    mutationFn: async (wish: { members: readonly TeamMember[]; apply: ApplyPolicy }) => {
      const saves: { draft: StagedDraft; input: SaveInput }[] = [];
      for (const member of wish.members) saves.push(await inputOf(member, wish.apply));
      await client.config.saveMany.mutate({ saves: saves.map(({ input }) => input) });
      for (const { draft, input } of saves) {
        const { workspaceId } = input;
        await settleDraft(client, workspaceId, {
          sent: draft,
          update: (change) => store.getState().update(workspaceId, change),
          readMemory: () => memoryOf(workspaceId),
        });
      }
    },
    onSuccess: () => queryClient.invalidateQueries(trpc.config.pathFilter()),
  });
}
