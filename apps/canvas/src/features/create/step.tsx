import type { ReactNode } from "react";
import type { Draft, DraftProblem } from "./draft.ts";

/** What each step of the sheet gets. */
export interface StepProps {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  problem: DraftProblem | null;
}

/** The sentence of a problem when it is about this field. */
export function errorOf(problem: DraftProblem | null, field: DraftProblem["field"]): string | null {
  return problem?.field === field ? problem.sentence : null;
}

/** One step of the sheet under its heading. */
export function Step({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-4">
      <h3 className="border-b pb-1.5 text-xs font-medium text-muted">{title}</h3>
      {children}
    </section>
  );
}
