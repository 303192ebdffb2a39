"use client";
import type { OrgPreview } from "@molecule/contracts/orgs";
import { useId, useState } from "react";
import { readProblem } from "../../trpc/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Field, Select } from "../../ui/field.tsx";
import { AfterDelay, Skeleton } from "../../ui/skeleton.tsx";
import { ErrorState } from "../../ui/state.tsx";
import type { Route } from "../location/route.ts";
import { navigate } from "../location/use-route.ts";
import { useNodesShallow } from "../store/node-store.tsx";
import { useUi, useUiStore } from "../store/ui-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { ChooseTeam } from "./choose-team.tsx";
import type { TeamSource } from "./model/team-source.ts";
import { agents, needsOf, needText, planText, stillOpen, withTyped } from "./model/team-text.ts";
import { PlanTree } from "./plan-tree.tsx";
import { TeamKeys } from "./team-keys.tsx";
import { useTeamImport, useTeamPreview } from "./use-team-import.ts";

const FORM = "import-team";

/**
 * Imports a team: which one, what that would do, the keys it lacks. While it is being made the page shows
 * how far it is, and this stays behind it for the case that it is refused.
 */
export function TeamSheet({ route }: { route: Route & { kind: "import" } }) {
  const actions = useWorkspaceActions();
  const ui = useUiStore();
  const team = useUi((state) => state.team);
  const source: TeamSource | null =
    route.dir === null ? team : { kind: "dir", label: route.dir, dir: route.dir };
  const [stage, setStage] = useState(false);
  const [typed, setTyped] = useState<Typed>({});
  const place = { parentId: route.parentId, stage };
  const isOpen = route.importId === null;
  const preview = useTeamPreview(isOpen ? source : null, place);
  const importing = useTeamImport(source, place);
  if (!isOpen) return null;
  const found = preview.data;
  const lacking = found === undefined || stage ? [] : stillOpen(needsOf(found).blocking, typed);
  const close = () => {
    ui.setState({ team: null });
    actions.closePanel();
  };
  const back = () => {
    ui.setState({ team: null });
    importing.reset();
    navigate({ kind: "import", importId: null, dir: null, parentId: route.parentId });
  };
  const plan = found === undefined || stage ? found : withTyped(found, typed);
  const description = found?.description ?? "";
  return (
    <Dialog
      open
      kind="sheet"
      onOpenChange={close}
      title={found?.org ?? "Import a team"}
      {...(description === "" ? {} : { description })}
      footer={
        source === null ? (
          <Button onClick={close}>Close</Button>
        ) : (
          <>
            <Button variant="ghost" className="mr-auto" onClick={back}>
              Another team
            </Button>
            <Button onClick={close}>Cancel</Button>
            <ImportButton
              preview={found}
              isBusy={importing.isPending}
              isBlocked={lacking.length > 0}
            />
          </>
        )
      }
    >
      {source === null ? (
        <ChooseTeam parentId={route.parentId} />
      ) : found === undefined || plan === undefined ? (
        <Waiting query={preview} />
      ) : (
        <form
          id={FORM}
          className="flex flex-col gap-6"
          onSubmit={(event) => {
            event.preventDefault();
            if (lacking.length === 0) importing.mutate(typed);
          }}
        >
          <Refusal error={importing.error ?? preview.error} />
          <Sentence plan={plan} lacking={lacking} />
          <Place route={route} stage={stage} onStage={setStage} />
          <Keys preview={found} stage={stage} typed={typed} onChange={setTyped} />
          <PlanTree nodes={plan.nodes} />
          <Notes preview={found} />
        </form>
      )}
    </Dialog>
  );
}

function Sentence({
  plan,
  lacking,
}: {
  plan: OrgPreview;
  lacking: readonly (readonly string[])[];
}) {
  return (
    <p role="status" className="text-sm text-ink">
      {planText(plan.counts, plan.atOnce)}
      {lacking.length === 0 ? null : (
        <span className="text-warn">
          {" "}
          Before it can be imported: {lacking.map(needText).join(", ")}.
        </span>
      )}
    </p>
  );
}

type Typed = Readonly<Record<string, string>>;

function ImportButton(props: {
  preview: OrgPreview | undefined;
  isBusy: boolean;
  isBlocked: boolean;
}) {
  const count = props.preview?.counts.create ?? 0;
  return (
    <Button
      variant="primary"
      type="submit"
      form={FORM}
      isBusy={props.isBusy}
      disabled={count === 0 || props.isBlocked}
    >
      {count === 0 ? "Import" : `Import ${agents(count)}`}
    </Button>
  );
}

/** Fields for what is missing, apart what the whole import needs and what some of its agents do. */
function Keys(props: {
  preview: OrgPreview;
  stage: boolean;
  typed: Typed;
  onChange: (change: (before: Typed) => Typed) => void;
}) {
  const { preview, stage, typed, onChange } = props;
  const { blocking, ofSome, wished } = needsOf(preview);
  const onType = (key: string, value: string) =>
    onChange((before) => ({ ...before, [key]: value }));
  return (
    <>
      <TeamKeys
        title="Keys it needs"
        note="Kept encrypted for the whole organisation, and never shown again."
        needs={blocking}
        typed={typed}
        isRequired={!stage}
        onType={onType}
      />
      <TeamKeys
        title="Keys for some of its agents"
        note="Without one the agents that need it are made and wait for it."
        needs={ofSome}
        typed={typed}
        onType={onType}
      />
      <TeamKeys
        title="Keys that it can use"
        note="It works without them."
        needs={wished}
        typed={typed}
        onType={onType}
      />
    </>
  );
}

function Waiting({ query }: { query: ReturnType<typeof useTeamPreview> }) {
  if (query.isError) {
    const problem = readProblem(query.error);
    return (
      <ErrorState
        title="This team cannot be imported"
        detail={[problem.sentence, problem.next].filter(Boolean).join(" ")}
        requestId={problem.requestId}
        onRetry={() => void query.refetch()}
        isRetrying={query.isFetching}
      />
    );
  }
  return (
    <AfterDelay>
      <div role="status" className="flex flex-col gap-3">
        <span className="sr-only">Reading the team</span>
        <Skeleton className="h-5" />
        <Skeleton className="h-40" />
      </div>
    </AfterDelay>
  );
}

function Refusal({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null;
  const { sentence, next } = readProblem(error);
  return (
    <p role="alert" className="rounded-md bg-danger-tint px-3 py-2 text-sm text-ink">
      {sentence} {next}
    </p>
  );
}

function Place(props: {
  route: Route & { kind: "import" };
  stage: boolean;
  onStage: (stage: boolean) => void;
}) {
  const { route, stage, onStage } = props;
  const teams = useNodesShallow((state) =>
    Object.values(state.byId).sort((a, b) => a.name.localeCompare(b.name)),
  );
  const noteId = useId();
  return (
    <div className="flex flex-col gap-4">
      <Field label="Where">
        {(ids) => (
          <Select
            {...ids}
            value={route.parentId ?? ""}
            onChange={(event) =>
              navigate({ ...route, parentId: event.target.value || null }, { replace: true })
            }
          >
            <option value="">On its own</option>
            {teams.map((one) => (
              <option key={one.id} value={one.id}>
                Under {one.name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <label className="flex items-start gap-2.5 text-sm text-ink">
        <input
          type="checkbox"
          className="mt-0.5 size-4 accent-(--focus)"
          checked={stage}
          aria-describedby={noteId}
          onChange={(event) => onStage(event.target.checked)}
        />
        <span>
          Import paused
          <span id={noteId} className="block text-xs text-muted">
            Everything is made and nothing starts, missing keys or not. You start it when it is
            ready.
          </span>
        </span>
      </label>
    </div>
  );
}

/** What else a person should know before. */
function Notes({ preview }: { preview: OrgPreview }) {
  const { notes, extra } = preview;
  if (notes.length + extra.length === 0) return null;
  return (
    <section className="flex flex-col gap-1.5">
      <h3 className="text-sm font-medium text-ink">Worth knowing</h3>
      <ul className="flex list-disc flex-col gap-1 pl-4 text-xs text-muted marker:text-line-strong">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
        {extra.length === 0 ? null : (
          <li>
            In the team and not in its description, left as they are:{" "}
            {extra.map(({ path }) => path).join(", ")}.
          </li>
        )}
      </ul>
    </section>
  );
}
