import clsx from "clsx";
import { DropdownMenu as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { Keys } from "./keys.tsx";

export interface MenuProps {
  /** The button that opens the menu. */
  trigger: ReactNode;
  align?: "start" | "center" | "end";
  /** Names the menu when its trigger does not. */
  label?: string;
  onOpenChange?: (open: boolean) => void;
  children: ReactNode;
}

/** A menu of actions below its trigger. */
export function Menu({ trigger, align = "end", label, onOpenChange, children }: MenuProps) {
  return (
    <Radix.Root modal={false} {...(onOpenChange === undefined ? {} : { onOpenChange })}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <MenuPanel align={align} label={label}>
        {children}
      </MenuPanel>
    </Radix.Root>
  );
}

export interface MenuPanelProps {
  align: "start" | "center" | "end";
  label: string | undefined;
  children: ReactNode;
}

/** The floating part of a {@link Menu}, for a menu that opens without a trigger. */
export function MenuPanel({ align, label, children }: MenuPanelProps) {
  return (
    <Radix.Portal>
      <Radix.Content
        align={align}
        aria-label={label}
        sideOffset={4}
        collisionPadding={8}
        className="z-50 max-h-[min(480px,var(--radix-dropdown-menu-content-available-height))] min-w-52 animate-fade overflow-y-auto rounded-lg border border-line-strong bg-raised p-1 text-sm shadow-layer"
        onClick={(event) => event.stopPropagation()}
      >
        {children}
      </Radix.Content>
    </Radix.Portal>
  );
}

export interface MenuItemProps {
  icon?: ReactNode;
  /** Shown at the end, as in `R`. */
  keys?: string | undefined;
  isDanger?: boolean;
  isDisabled?: boolean;
  /** The item is the chosen one of several. */
  isChecked?: boolean;
  onSelect: () => void;
  children: ReactNode;
}

/** One action of a {@link Menu}. */
export function MenuItem(props: MenuItemProps) {
  const { icon, keys, isDanger = false, isDisabled = false, isChecked, onSelect, children } = props;
  return (
    <Radix.Item
      disabled={isDisabled}
      onSelect={onSelect}
      {...(isChecked === undefined ? {} : { role: "menuitemradio", "aria-checked": isChecked })}
      className={clsx(
        "flex min-h-8 items-center gap-2.5 rounded-md px-2 py-1 outline-none select-none data-disabled:opacity-50 data-highlighted:bg-hover pointer-coarse:min-h-11",
        isDanger ? "text-danger" : "text-ink",
      )}
    >
      <span
        className={clsx(
          "inline-flex size-4 items-center justify-center",
          isDanger ? "" : "text-muted",
        )}
      >
        {icon}
      </span>
      <span className="min-w-0 flex-1 whitespace-nowrap">{children}</span>
      {keys === undefined ? null : <Keys keys={keys} />}
    </Radix.Item>
  );
}

/** A line between groups of a {@link Menu}. */
export function MenuSeparator() {
  return <Radix.Separator className="mx-1 my-1 h-px bg-line-strong" />;
}

/** A quiet heading inside a {@link Menu}. */
export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className="px-2 pt-1.5 pb-1 text-xs text-muted">{children}</Radix.Label>;
}
