import type { Artifact, ListTasksRequest, ListTasksResponse, Part, Task } from "@a2a-js/sdk";
import type { TaskStore } from "@a2a-js/sdk/server";

/** Tasks that are remembered; the oldest are forgotten first. */
const MAX_TASKS = 300;
/** Messages of a task that are remembered; the first one, the question, always is. */
const MAX_HISTORY = 20;

/**
 * Tasks of this instance, in memory, newest last. Text that was streamed word by word is kept as one
 * part, because clients read the first text part as the whole answer.
 */
export class BoundedTaskStore implements TaskStore {
  readonly #tasks = new Map<string, Task>();

  async save(task: Task): Promise<void> {
    const [question, ...rest] = task.history;
    this.#tasks.delete(task.id);
    this.#tasks.set(task.id, {
      ...task,
      artifacts: task.artifacts.map(withJoinedText),
      history: question === undefined ? [] : [question, ...rest.slice(-(MAX_HISTORY - 1))],
    });
    for (const id of this.#tasks.keys()) {
      if (this.#tasks.size <= MAX_TASKS) break;
      this.#tasks.delete(id);
    }
  }

  async load(taskId: string): Promise<Task | undefined> {
    const task = this.#tasks.get(taskId);
    return task === undefined ? undefined : structuredClone(task);
  }

  async list(params: ListTasksRequest): Promise<ListTasksResponse> {
    const all = [...this.#tasks.values()]
      .reverse()
      .filter((task) => params.contextId === "" || task.contextId === params.contextId)
      .filter((task) => params.status === 0 || task.status?.state === params.status);
    const from = Number(params.pageToken) || 0;
    const pageSize = params.pageSize ?? 50;
    const page = all.slice(from, from + pageSize);
    const next = from + page.length;
    return {
      tasks: structuredClone(page),
      nextPageToken: next < all.length ? String(next) : "",
      pageSize,
      totalSize: all.length,
    };
  }
}

function withJoinedText(artifact: Artifact): Artifact {
  const parts: Part[] = [];
  for (const part of artifact.parts) {
    const last = parts.at(-1);
    if (last?.content?.$case === "text" && part.content?.$case === "text") {
      const value = last.content.value + part.content.value;
      parts[parts.length - 1] = { ...last, content: { $case: "text", value } };
    } else {
      parts.push(part);
    }
  }
  return { ...artifact, parts };
}
