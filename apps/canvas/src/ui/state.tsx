import { RotateCw, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./button.tsx";

export interface EmptyStateProps {
  icon?: ReactNode;
  title: string;
  /** One sentence: what would be here, and how it gets here. */
  detail?: ReactNode;
  action?: ReactNode;
}

/** Nothing is here, and that is fine. Never used for a failed load. */
export function EmptyState({ icon, title, detail, action }: EmptyStateProps) {
  return (
    <div className="flex h-full min-h-40 flex-col items-center justify-center gap-2 p-8 text-center">
      {icon === undefined ? null : <div className="mb-1 text-muted">{icon}</div>}
      <p className="text-sm font-medium text-ink">{title}</p>
      {detail === undefined ? null : (
        <p className="max-w-80 text-sm text-balance text-muted">{detail}</p>
      )}
      {action === undefined ? null : <div className="mt-2">{action}</div>}
    </div>
  );
}

export interface ErrorStateProps {
  /** What happened. */
  title: string;
  /** What it means, or what to do. */
  detail?: ReactNode;
  /** Shown in a fold, for whoever reads the log. */
  requestId?: string | undefined;
  onRetry?: () => void;
  isRetrying?: boolean;
}

/** A load or an action failed; says what, and offers Retry. */
export function ErrorState({
  title,
  detail,
  requestId,
  onRetry,
  isRetrying = false,
}: ErrorStateProps) {
  return (
    <div
      role="alert"
      className="flex h-full min-h-40 flex-col items-center justify-center gap-2 p-8 text-center"
    >
      <TriangleAlert size={20} className="mb-1 text-danger" aria-hidden="true" />
      <p className="max-w-96 text-sm font-medium text-balance text-ink">{title}</p>
      {detail === undefined ? null : (
        <p className="max-w-96 text-sm text-balance text-muted">{detail}</p>
      )}
      {onRetry === undefined ? null : (
        <Button
          className="mt-2"
          isBusy={isRetrying}
          icon={<RotateCw size={14} aria-hidden="true" />}
          onClick={onRetry}
        >
          Retry
        </Button>
      )}
      {requestId === undefined ? null : (
        <details className="mt-1 text-xs text-muted">
          <summary>Details</summary>
          <code className="font-mono select-text">request {requestId}</code>
        </details>
      )}
    </div>
  );
}
