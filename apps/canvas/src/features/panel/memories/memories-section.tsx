"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { useId, useRef, useState } from "react";
import { readProblem } from "../../../trpc/problem.ts";
import { Input } from "../../../ui/field.tsx";
import { AfterDelay, Skeleton } from "../../../ui/skeleton.tsx";
import { useNodesShallow } from "../../store/node-store.tsx";
import { InlineProblem } from "../inline-problem.tsx";
import { MemoryList } from "./memory-list.tsx";
import { tellForgotten, useForgetMemory, useMemories } from "./use-memories.ts";

/** What the agent remembers, its own and what others let it read; its own can be deleted. */
export function MemoriesSection({ node }: { node: WorkspaceNode }) {
  const [text, setText] = useState("");
  const { query, asked } = useMemories(node.id, text);
  const forget = useForgetMemory(node.id);
  const names = useNodesShallow((state) =>
    Object.values(state.byId).map(({ id, name }) => `${id} ${name}`),
  );
  const search = useRef<HTMLInputElement>(null);
  const headingId = useId();
  const nameOf = (id: string) => names.find((one) => one.startsWith(id))?.slice(id.length + 1);
  const showsSearch = asked !== "" || text !== "" || (query.data?.memories.length ?? 0) > 0;
  return (
    <section aria-labelledby={headingId} className="flex flex-col gap-3 p-4">
      <div>
        <h3 id={headingId} className="text-sm font-medium text-ink">
          Memory
        </h3>
        <p className="text-xs text-muted">
          What it keeps beyond a conversation, and what others let it read. Deleting restarts
          nothing.
        </p>
      </div>
      {showsSearch ? (
        <Input
          ref={search}
          type="search"
          aria-label={`Search the memories of ${node.name}`}
          placeholder="Search memories"
          maxLength={1_000}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      ) : null}
      {query.data !== undefined ? (
        <MemoryList
          workspaceId={node.id}
          memories={query.data.memories}
          hasMore={query.data.hasMore}
          asked={asked}
          nameOf={nameOf}
          removingId={forget.isPending ? (forget.variables?.id ?? null) : null}
          onRemove={(memory) =>
            forget.mutate(
              { workspaceId: node.id, id: memory.id },
              {
                onSuccess: () => {
                  tellForgotten(memory);
                  // The row is gone; the keyboard goes on where the list begins.
                  search.current?.focus();
                },
              },
            )
          }
        />
      ) : query.isError ? (
        <InlineProblem
          title="The memories could not be loaded."
          problem={readProblem(query.error)}
          onRetry={() => void query.refetch()}
          isRetrying={query.isFetching}
        />
      ) : (
        <AfterDelay>
          <Skeleton className="h-16" />
        </AfterDelay>
      )}
    </section>
  );
}
