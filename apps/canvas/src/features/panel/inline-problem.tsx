import { RotateCw } from "lucide-react";
import type { ReadProblem } from "../../trpc/problem.ts";
import { Button } from "../../ui/button.tsx";

/** One part of a tab could not be loaded; the other parts stay as they are. */
export function InlineProblem(props: {
  title: string;
  problem: ReadProblem;
  isRetrying: boolean;
  onRetry: () => void;
}) {
  const { title, problem } = props;
  return (
    <div
      role="alert"
      className="flex items-center gap-3 rounded-lg bg-danger-tint px-3 py-2 text-xs"
    >
      <p className="min-w-0 flex-1 text-muted">
        <span className="font-medium text-danger">{title}</span> {problem.sentence} {problem.next}
        {problem.requestId === undefined ? null : (
          <span className="block font-mono select-text">request {problem.requestId}</span>
        )}
      </p>
      <Button
        size="sm"
        isBusy={props.isRetrying}
        icon={<RotateCw size={12} aria-hidden="true" />}
        onClick={props.onRetry}
      >
        Retry
      </Button>
    </div>
  );
}
