import { type ReactNode, useId } from "react";

/** One titled part of a tab. */
export function OverviewSection(props: { title: string; aside?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="flex flex-col gap-2.5 p-4">
      <div className="flex items-baseline justify-between gap-3">
        <h3 id={id} className="text-sm font-medium text-ink">
          {props.title}
        </h3>
        {props.aside === undefined ? null : (
          <span className="text-xs text-muted">{props.aside}</span>
        )}
      </div>
      {props.children}
    </section>
  );
}
