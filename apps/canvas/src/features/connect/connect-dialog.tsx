"use client";
import type { ConnectionView } from "@molecule/contracts/procedures";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTRPC } from "../../trpc/client.tsx";
import { readProblem } from "../../trpc/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { AfterDelay, Skeleton } from "../../ui/skeleton.tsx";
import { InlineProblem } from "../panel/inline-problem.tsx";
import { useNode } from "../store/node-store.tsx";
import { useUi, useUiStore } from "../store/ui-store.tsx";
import { ConnectChecklist } from "./connect-checklist.tsx";
import { CopyableText } from "./copyable-text.tsx";
import { SnippetTabs } from "./snippet-tabs.tsx";

/** How an agent that runs elsewhere connects, and how far it has come meanwhile. */
export function ConnectDialog() {
  const connecting = useUi((state) => state.connecting);
  if (connecting === null) return null;
  const { id, connection } = connecting;
  return connection === null ? <Again id={id} /> : <Issued id={id} connection={connection} />;
}

/** With a token that was just issued: it is here once and never again. */
function Issued({ id, connection }: { id: string; connection: ConnectionView }) {
  const ui = useUiStore();
  const [isKept, setIsKept] = useState(false);
  const [isWarned, setIsWarned] = useState(false);
  const close = () => ui.setState({ connecting: null });
  return (
    <Sheet
      id={id}
      description="The token is shown this once. Keep it where your agent finds it."
      onOpenChange={() => (isKept || isWarned ? close() : setIsWarned(true))}
      footer={
        <>
          {isWarned && !isKept ? (
            <p role="alert" className="mr-auto text-xs text-warn">
              The token has not been copied. Close once more to go on without it.
            </p>
          ) : null}
          <Button variant="primary" onClick={close}>
            I have kept the token
          </Button>
        </>
      }
    >
      <CopyableText label="Token" text={connection.auth_token} onCopied={() => setIsKept(true)} />
      <Rest connection={connection} onCopied={() => setIsKept(true)} />
    </Sheet>
  );
}

/** Later: the same without the token. */
function Again({ id }: { id: string }) {
  const ui = useUiStore();
  const trpc = useTRPC();
  const query = useQuery(trpc.tokens.connection.queryOptions({ workspaceId: id }));
  const close = () => ui.setState({ connecting: null });
  return (
    <Sheet
      id={id}
      description="Its token was shown when it was issued. Where that is lost, rotate it."
      onOpenChange={close}
      footer={
        <>
          <Button onClick={() => ui.setState({ connecting: null, rotatingId: id })}>
            Rotate token…
          </Button>
          <Button variant="primary" onClick={close}>
            Done
          </Button>
        </>
      }
    >
      {query.data !== undefined ? (
        <Rest connection={query.data} />
      ) : query.isError ? (
        <InlineProblem
          title="The connection could not be loaded."
          problem={readProblem(query.error)}
          onRetry={() => void query.refetch()}
          isRetrying={query.isFetching}
        />
      ) : (
        <AfterDelay>
          <Skeleton className="h-40" />
        </AfterDelay>
      )}
    </Sheet>
  );
}

function Sheet(props: {
  id: string;
  description: string;
  onOpenChange: () => void;
  footer: React.ReactNode;
  children: React.ReactNode;
}) {
  const node = useNode(props.id);
  const connect = node?.connect ?? null;
  return (
    <Dialog
      open
      kind="sheet"
      onOpenChange={props.onOpenChange}
      title={`Connect ${node?.name ?? "the agent"}`}
      description={props.description}
      footer={props.footer}
    >
      <div className="flex flex-col gap-5">
        {connect === null ? null : (
          <div className="rounded-lg border px-3 py-3">
            <ConnectChecklist connect={connect} />
          </div>
        )}
        {props.children}
      </div>
    </Dialog>
  );
}

/** `onCopied`: a snippet was copied, and the token that is in it. */
function Rest(props: { connection: ConnectionView; onCopied?: () => void }) {
  const { connection, onCopied } = props;
  return (
    <>
      <SnippetTabs connection={connection} onCopied={onCopied} />
      <CopyableText label="Workspace" text={connection.workspace_id} />
      <CopyableText label="Platform" text={connection.platform_url} />
    </>
  );
}
