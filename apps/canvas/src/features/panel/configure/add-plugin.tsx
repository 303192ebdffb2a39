"use client";
import type { FetchedPlugin, InstalledPlugin } from "@molecule/contracts/plugins";
import { useQuery } from "@tanstack/react-query";
import { Plus, TriangleAlert } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useId, useState } from "react";
import { useTRPC } from "../../../trpc/client.tsx";
import { type ReadProblem, readProblem } from "../../../trpc/problem.ts";
import { Button } from "../../../ui/button.tsx";
import { Field, Input } from "../../../ui/field.tsx";
import { Elapsed } from "../../clock/moving-time.tsx";
import { InlineProblem } from "../inline-problem.tsx";
import { OfferedPlugins } from "./offered-plugins.tsx";
import { useFetchPlugin } from "./use-fetch-plugin.ts";

export interface AddPluginProps {
  workspaceId: string;
  installed: readonly InstalledPlugin[];
  /** It was fetched and checked; nothing is saved yet. */
  onFetched: (fetched: FetchedPlugin) => void;
}

/** A button that becomes the list of what the operator offers, and a field for an address. */
export function AddPlugin(props: AddPluginProps) {
  const [isOpen, setIsOpen] = useState(false);
  const [wasOpen, setWasOpen] = useState(false);
  const close = () => {
    setWasOpen(true);
    setIsOpen(false);
  };
  if (isOpen) return <Sources {...props} onClose={close} />;
  return (
    <Button
      size="sm"
      className="self-start"
      // Focus goes back to where the form came from.
      autoFocus={wasOpen}
      icon={<Plus size={13} aria-hidden="true" />}
      onClick={() => setIsOpen(true)}
    >
      Add plugin
    </Button>
  );
}

function Sources(props: AddPluginProps & { onClose: () => void }) {
  const { workspaceId, installed, onClose } = props;
  const trpc = useTRPC();
  const offer = useQuery(trpc.plugins.offer.queryOptions({ workspaceId }));
  const fetching = useFetchPlugin(workspaceId, (fetched) => {
    props.onFetched(fetched);
    onClose();
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    // The form is the top layer here; the panel stays.
    event.stopPropagation();
    if (fetching.pending === null) onClose();
    else fetching.cancel();
  };
  return (
    <section
      aria-label="Add a plugin"
      className="flex flex-col gap-4 rounded-lg border p-3"
      onKeyDown={onKeyDown}
    >
      {offer.data !== undefined ? (
        <OfferedPlugins offer={offer.data} installed={installed} fetching={fetching} />
      ) : offer.isError ? (
        <InlineProblem
          title="What is offered here could not be loaded."
          problem={readProblem(offer.error)}
          onRetry={() => void offer.refetch()}
          isRetrying={offer.isFetching}
        />
      ) : null}
      <AddressForm
        isPending={fetching.pending !== null}
        needsPin={offer.data?.allowsUnpinned !== true}
        onSubmit={fetching.start}
      />
      <Progress fetching={fetching} />
      <div className="flex justify-end gap-2">
        <Button
          size="sm"
          variant="ghost"
          onClick={fetching.pending === null ? onClose : fetching.cancel}
        >
          {fetching.pending === null ? "Close" : "Stop fetching"}
        </Button>
      </div>
    </section>
  );
}

function AddressForm(props: {
  isPending: boolean;
  needsPin: boolean;
  onSubmit: (wanted: { source: string; sha256: string }) => void;
}) {
  const { isPending, needsPin, onSubmit } = props;
  const [source, setSource] = useState("");
  const [sha256, setSha256] = useState("");
  const summaryId = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (source.trim() !== "" && !isPending) onSubmit({ source, sha256 });
  };
  return (
    <form className="flex flex-col gap-2" onSubmit={submit}>
      <Field
        label="From GitHub"
        hint={
          needsPin
            ? "With a tag or a whole commit behind #, so that it is the same plugin tomorrow."
            : "With a tag or a commit behind #; without one it may be another plugin tomorrow."
        }
      >
        {(ids) => (
          <div className="flex gap-2">
            <Input
              {...ids}
              autoFocus
              autoComplete="off"
              spellCheck={false}
              placeholder="github://owner/repo#v1.0.0"
              className="min-w-0 flex-1 font-mono"
              value={source}
              onChange={(event) => setSource(event.target.value)}
            />
            <Button
              type="submit"
              variant="primary"
              disabled={source.trim() === ""}
              isBusy={isPending}
            >
              Fetch
            </Button>
          </div>
        )}
      </Field>
      <details className="text-xs text-muted">
        <summary id={summaryId} className="cursor-pointer py-1 pointer-coarse:py-3">
          Check its content
        </summary>
        <Input
          aria-labelledby={summaryId}
          autoComplete="off"
          spellCheck={false}
          placeholder="sha256, 64 digits"
          className="mt-1 font-mono"
          value={sha256}
          onChange={(event) => setSha256(event.target.value)}
        />
      </details>
    </form>
  );
}

/** What the fetch does, or why it came to nothing. */
function Progress({ fetching }: { fetching: ReturnType<typeof useFetchPlugin> }) {
  const { pending, problem, startedAt } = fetching;
  if (pending !== null && startedAt !== null) {
    return (
      <p className="text-xs text-muted [overflow-wrap:anywhere]">
        <span role="status">Fetching and checking {pending}</span>
        <span aria-hidden="true">
          {" · "}
          <Elapsed sinceMs={startedAt} />
        </span>
      </p>
    );
  }
  return problem === null ? null : <Refusal problem={problem} />;
}

function Refusal({ problem }: { problem: ReadProblem }) {
  return (
    <p role="alert" className="flex items-start gap-1.5 text-xs text-danger">
      <TriangleAlert size={13} className="mt-px shrink-0" aria-hidden="true" />
      <span>
        {problem.sentence} {problem.next} Nothing was changed.
      </span>
    </p>
  );
}
