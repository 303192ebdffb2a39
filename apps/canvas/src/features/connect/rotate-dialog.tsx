"use client";
import { useMutation } from "@tanstack/react-query";
import { useTRPC } from "../../trpc/client.tsx";
import { readProblem } from "../../trpc/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { useNode } from "../store/node-store.tsx";
import { useUi, useUiStore } from "../store/ui-store.tsx";
import { rotationConsequences } from "./rotation-consequences.ts";

/** Says what replacing the token does before it is done. */
export function RotateDialog() {
  const id = useUi((state) => state.rotatingId);
  return id === null ? null : <OpenDialog id={id} />;
}

function OpenDialog({ id }: { id: string }) {
  const trpc = useTRPC();
  const ui = useUiStore();
  const node = useNode(id);
  const close = () => ui.setState({ rotatingId: null });
  const rotate = useMutation(
    trpc.tokens.rotate.mutationOptions({
      onSuccess: (connection) => ui.setState({ rotatingId: null, connecting: { id, connection } }),
    }),
  );
  const problem = rotate.error === null ? null : readProblem(rotate.error);
  return (
    <Dialog
      open
      onOpenChange={close}
      title={`Rotate the token of ${node?.name ?? "this agent"}?`}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button
            variant="danger"
            isBusy={rotate.isPending}
            onClick={() => rotate.mutate({ workspaceId: id })}
          >
            Rotate token
          </Button>
        </>
      }
    >
      {problem === null ? null : (
        <p role="alert" className="mb-3 rounded-md bg-danger-tint px-3 py-2 text-sm text-ink">
          {problem.sentence} {problem.next}
        </p>
      )}
      <ul className="flex list-disc flex-col gap-1 pl-4 text-sm text-muted marker:text-line-strong">
        {rotationConsequences(node).map((consequence) => (
          <li key={consequence}>{consequence}</li>
        ))}
      </ul>
    </Dialog>
  );
}
