import clsx from "clsx";
import { Tabs as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { useIntent } from "./use-intent.ts";

export interface TabsProps<T extends string> {
  value: T;
  onValueChange: (value: T) => void;
  /** Names the list of tabs. */
  label: string;
  tabs: readonly { value: T; title: string; icon?: ReactNode; hasDot?: boolean; keys?: string }[];
  /** Called when somebody rests on a tab without opening it: what it shows may be fetched. */
  onIntent?: (value: T) => void;
  /** `TabPanel`s, in any layout. */
  children: ReactNode;
  className?: string;
}

/** A row of tabs and their panels, with the keyboard pattern of a tab list. */
export function Tabs<T extends string>({
  value,
  onValueChange,
  label,
  tabs,
  onIntent,
  children,
  className,
}: TabsProps<T>) {
  const intent = useIntent(onIntent);
  return (
    <Radix.Root
      value={value}
      onValueChange={(next) => onValueChange(next as T)}
      className={clsx("flex min-h-0 flex-col", className)}
    >
      <Radix.List aria-label={label} className="flex shrink-0 gap-1 border-b px-3">
        {tabs.map((tab) => (
          <Radix.Trigger
            key={tab.value}
            value={tab.value}
            {...intent(tab.value)}
            className="relative flex h-9 items-center gap-1.5 px-2 text-sm text-muted transition-colors duration-[120ms] after:absolute after:inset-x-2 after:-bottom-px after:h-0.5 after:rounded-full after:bg-transparent hover:text-ink focus-visible:-outline-offset-2 data-[state=active]:font-medium data-[state=active]:text-ink data-[state=active]:after:bg-ink pointer-coarse:h-11"
          >
            {tab.icon}
            {tab.title}
            {tab.hasDot === true ? (
              <span className="size-1.5 rounded-full bg-warn">
                <span className="sr-only">has unsaved changes</span>
              </span>
            ) : null}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {children}
    </Radix.Root>
  );
}

/** The content of one tab. With `keepMounted` it stays in the document while hidden, so drafts live on. */
export function TabPanel(props: {
  value: string;
  keepMounted?: boolean;
  className?: string;
  children: ReactNode;
}) {
  return (
    <Radix.Content
      value={props.value}
      {...(props.keepMounted === true ? { forceMount: true } : {})}
      className={clsx("min-h-0 flex-1 data-[state=inactive]:hidden", props.className)}
    >
      {props.children}
    </Radix.Content>
  );
}
