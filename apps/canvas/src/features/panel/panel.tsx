"use client";
import { useQueryClient } from "@tanstack/react-query";
import {
  Activity,
  lazy,
  memo,
  Suspense,
  startTransition,
  useCallback,
  useDeferredValue,
  useEffect,
  useEffectEvent,
  useId,
  useState,
} from "react";
import { useTRPC } from "../../trpc/client.tsx";
import { AfterDelay, Skeleton } from "../../ui/skeleton.tsx";
import { EmptyState } from "../../ui/state.tsx";
import { TabPanel, Tabs } from "../../ui/tabs.tsx";
import { PANEL_TABS, type PanelTab } from "../location/route.ts";
import { useNode, useOrganisation } from "../store/node-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { ActivityTab } from "./activity/activity-tab.tsx";
import { ChatTab } from "./chat/chat-tab.tsx";
import { ConfigTab } from "./configure/config-tab.tsx";
import { prefetchConfigure } from "./configure/prefetch-configure.ts";
import { isFirstStart } from "./header/model/reason.ts";
import { PanelHeader } from "./header/panel-header.tsx";
import { ReasonBar } from "./header/reason-bar.tsx";
import { OverviewTab } from "./overview/overview-tab.tsx";
import { usePanelMemory } from "./state/panel-provider.tsx";

const FilesTab = lazy(async () => {
  const loaded = await import("./files/files-tab.tsx");
  return { default: loaded.FilesTab };
});

export interface PanelProps {
  workspaceId: string;
  tab: PanelTab;
}

const TITLES: Readonly<Record<PanelTab, string>> = {
  chat: "Chat",
  activity: "Activity",
  overview: "Overview",
  files: "Files",
  configure: "Configure",
};

/** Everything about one workspace: its header and its tabs. Fills the region that it is put in. */
export function Panel({ workspaceId, tab }: PanelProps) {
  const node = useNode(workspaceId);
  const headingId = useId();
  const actions = useWorkspaceActions();
  const isLoaded = useOrganisation() !== null;
  const open = useCallback(
    (next: PanelTab) => actions.open(workspaceId, next),
    [actions, workspaceId],
  );
  if (node === undefined) {
    return (
      <aside aria-label="Agent" className="h-full bg-card">
        {isLoaded ? (
          <EmptyState
            title="This agent is not here any more"
            detail="It was deleted, or its address is wrong."
          />
        ) : (
          <PanelSkeleton />
        )}
      </aside>
    );
  }
  return (
    <aside aria-labelledby={headingId} className="flex h-full min-h-0 min-w-0 flex-col bg-card">
      <PanelHeader node={node} headingId={headingId} />
      {/* The chat shows the stages of a first start itself. */}
      {tab === "chat" && isFirstStart(node) ? null : <ReasonBar node={node} onOpen={open} />}
      <PanelTabs key={workspaceId} workspaceId={workspaceId} tab={tab} onTabChange={open} />
    </aside>
  );
}

/**
 * Tabs stay in the document once visited, so that nothing in them is lost by looking elsewhere. A press
 * marks its tab at once; what a first visit shows is drawn right after, so that what it asks for is on its
 * way by then.
 */
function PanelTabs(props: PanelProps & { onTabChange: (tab: PanelTab) => void }) {
  const { workspaceId, tab, onTabChange } = props;
  const drawn = useDeferredValue(tab);
  const [visited, setVisited] = useState<ReadonlySet<PanelTab>>(new Set([tab]));
  if (!visited.has(drawn)) setVisited(new Set([...visited, drawn]));
  const configure = useConfigureAhead(workspaceId);
  const isFirstVisit = tab === "configure" && !visited.has("configure");
  const fetchNow = useEffectEvent(() => void configure.fetchNow());
  useEffect(() => {
    if (isFirstVisit) fetchNow();
  }, [isFirstVisit]);
  const isThere = (value: PanelTab) =>
    visited.has(value) || (value === "configure" && configure.isAhead);
  const hasFileDraft = usePanelMemory(
    workspaceId,
    (memory) => Object.keys(memory.draft.files).length > 0,
  );
  const hasConfigDraft = usePanelMemory(workspaceId, ({ draft }) =>
    [draft.config.mine, draft.secrets, draft.plugins].some((part) => Object.keys(part).length > 0),
  );
  const dots: Partial<Record<PanelTab, boolean>> = {
    files: hasFileDraft,
    configure: hasConfigDraft,
  };
  return (
    <Tabs
      value={tab}
      onValueChange={(next) => {
        if (next === "configure" && !visited.has(next)) void configure.fetchNow();
        onTabChange(next);
      }}
      label="Parts of this agent"
      onIntent={(wanted) => {
        if (wanted === "configure" && tab !== "configure") configure.drawAhead();
      }}
      className="flex-1 max-md:flex-col-reverse max-md:[&>[role=tablist]]:justify-around max-md:[&>[role=tablist]]:border-t max-md:[&>[role=tablist]]:border-b-0 max-md:[&>[role=tablist]]:pb-[env(safe-area-inset-bottom)] max-md:[&_[role=tab]]:after:-top-px max-md:[&_[role=tab]]:after:bottom-auto"
      tabs={PANEL_TABS.map((value, index) => ({
        value,
        title: TITLES[value],
        hasDot: dots[value] === true,
        keys: String(index + 1),
      }))}
    >
      {PANEL_TABS.filter(isThere).map((value) => (
        <TabPanel key={value} value={value} keepMounted className="overflow-hidden">
          <Activity mode={visited.has(value) || value === tab ? "visible" : "hidden"}>
            <Suspense fallback={<PanelSkeleton />}>
              <TabContent workspaceId={workspaceId} tab={value} isShown={value === drawn} />
            </Suspense>
          </Activity>
        </TabPanel>
      ))}
    </Tabs>
  );
}

/**
 * Configure before it is opened. `fetchNow` asks for what it shows; `drawAhead` draws it as well, out of
 * sight, once that is there. Drawn ahead it hears of nothing and asks for nothing.
 */
function useConfigureAhead(workspaceId: string) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [isAhead, setIsAhead] = useState(false);
  const fetchNow = () => prefetchConfigure(queryClient, trpc, workspaceId);
  // It never fails: what could not be fetched is asked for again when it is opened.
  const drawAhead = () => void fetchNow().then(() => startTransition(() => setIsAhead(true)));
  return { isAhead, fetchNow, drawAhead };
}

const TabContent = memo(function TabContent(props: PanelProps & { isShown: boolean }) {
  const { workspaceId, tab, isShown } = props;
  switch (tab) {
    case "chat":
      return <ChatTab workspaceId={workspaceId} isShown={isShown} />;
    case "activity":
      return <ActivityTab workspaceId={workspaceId} isShown={isShown} />;
    case "overview":
      return <OverviewTab workspaceId={workspaceId} isShown={isShown} />;
    case "files":
      return <FilesTab workspaceId={workspaceId} />;
    case "configure":
      return <ConfigTab workspaceId={workspaceId} isShown={isShown} />;
  }
});

function PanelSkeleton() {
  return (
    <AfterDelay>
      <div className="flex flex-col gap-3 p-4">
        <Skeleton className="h-6 w-2/5" />
        <Skeleton className="h-4 w-3/5" />
        <Skeleton className="h-32" />
      </div>
    </AfterDelay>
  );
}
