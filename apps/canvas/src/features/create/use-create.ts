"use client";
import type { ConnectionView, CreateWorkspaceInput } from "@molecule/contracts/procedures";
import type { TemplateView } from "@molecule/contracts/workspaces";
import { useMutation } from "@tanstack/react-query";
import { useTRPCClient } from "../../trpc/client.tsx";
import { useCanvasHandle } from "../graph/canvas-handle.ts";
import { CARD, placeForNew } from "../graph/model/layout.ts";
import { useNodeStore } from "../store/node-store.tsx";
import { useUiStore } from "../store/ui-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import type { Brain } from "./brain.ts";
import { type Draft, EXTERNAL, toInput } from "./draft.ts";
import { putFirstMessage } from "./first-message.ts";
import { optimisticNode } from "./optimistic-node.ts";

/** A finished create call. `connection` only for an agent that runs elsewhere; shown once. */
interface CreateAnswer {
  readonly id: string;
  readonly connection: ConnectionView | null;
}

export interface CreateRequest {
  readonly draft: Draft;
  readonly name: string;
  readonly template: TemplateView | null;
  readonly brain: Brain | null;
}

/**
 * Creates a workspace: its card is there at once, and becomes the real one with the answer. Then its
 * panel opens, and above that of an agent that runs elsewhere how it connects.
 */
export function useCreate() {
  const client = useTRPCClient();
  const nodes = useNodeStore();
  const canvas = useCanvasHandle();
  const actions = useWorkspaceActions();
  const ui = useUiStore();
  return useMutation({
    mutationFn: async ({ draft, name, template, brain }: CreateRequest): Promise<CreateAnswer> => {
      const { shapes, organisation } = nodes.getState();
      const centre = canvas.current?.centre() ?? { x: 0, y: 0 };
      const wish = { x: centre.x - CARD.width / 2, y: centre.y - CARD.height / 2 };
      const input: CreateWorkspaceInput = toInput(
        draft,
        name,
        brain,
        placeForNew(shapes, draft.parentId, wish),
      );
      const guessId = crypto.randomUUID();
      const isExternal = draft.templateId === EXTERNAL;
      nodes.put(
        optimisticNode(guessId, input, {
          runtime: isExternal ? "external" : (template?.runtime ?? "demo"),
          backend: isExternal
            ? "external"
            : (draft.backend ?? organisation?.platform.defaultBackend ?? "process"),
          model: input.model ?? null,
        }),
      );
      try {
        const created = await client.workspaces.create.mutate(input);
        nodes.put(created.node);
        return { id: created.id, connection: created.connection ?? null };
      } finally {
        nodes.remove([guessId]);
      }
    },
    onSuccess: (answer, { draft }) => {
      if (draft.prompt.trim() !== "") putFirstMessage(answer.id, draft.prompt.trim());
      const { id, connection } = answer;
      actions.open(id, connection === null ? "chat" : "overview");
      if (connection !== null) ui.setState({ connecting: { id, connection } });
    },
  });
}
