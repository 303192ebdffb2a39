"use client";
import { KeyRound, LogOut, Monitor, Moon, Sun } from "lucide-react";
import { toast } from "sonner";
import { useTRPCClient } from "../../trpc/client.tsx";
import { readProblem } from "../../trpc/problem.ts";
import { IconButton } from "../../ui/button.tsx";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "../../ui/menu.tsx";
import { navigate } from "../location/use-route.ts";
import { useOrganisation } from "../store/node-store.tsx";
import { setTheme, THEMES, type Theme, useTheme } from "../theme/theme.ts";

const ICONS = { system: Monitor, light: Sun, dark: Moon } as const;
const TITLES: Readonly<Record<Theme, string>> = {
  system: "As the device",
  light: "Light",
  dark: "Dark",
};

/** Chooses the theme. */
export function ThemeMenu() {
  const theme = useTheme();
  const Icon = ICONS[theme];
  const trigger = (
    <IconButton label="Theme">
      <Icon size={16} aria-hidden="true" />
    </IconButton>
  );
  return (
    <Menu trigger={trigger} label="Theme">
      <ThemeItems theme={theme} />
    </Menu>
  );
}

function ThemeItems({ theme }: { theme: Theme }) {
  return THEMES.map((each) => {
    const Icon = ICONS[each];
    return (
      <MenuItem
        key={each}
        icon={<Icon size={15} aria-hidden="true" />}
        isChecked={each === theme}
        onSelect={() => setTheme(each)}
      >
        {TITLES[each]}
      </MenuItem>
    );
  });
}

/** Who is signed in, what runs here, and the way out. On a phone it holds the theme too. */
export function AccountMenu({ hasTheme = false }: { hasTheme?: boolean }) {
  const client = useTRPCClient();
  const organisation = useOrganisation();
  const theme = useTheme();
  const name = organisation?.member.name ?? "Account";
  const signOut = async () => {
    try {
      await client.session.signOut.mutate();
      window.location.assign("/");
    } catch (error) {
      toast.error("You are still signed in", { description: readProblem(error).sentence });
    }
  };
  const trigger = (
    <button
      type="button"
      aria-label={`Account of ${name}`}
      className="inline-flex size-7 items-center justify-center rounded-full border border-line-strong bg-raised text-xs font-semibold text-ink hover:bg-hover data-[state=open]:bg-hover pointer-coarse:size-9"
    >
      {name.charAt(0).toUpperCase()}
    </button>
  );
  return (
    <Menu trigger={trigger} label="Account">
      <MenuLabel>
        <span className="block text-sm font-medium text-ink">{name}</span>
        {organisation === null
          ? null
          : `${organisation.member.role} · Molecule ${organisation.platform.version}`}
      </MenuLabel>
      <MenuSeparator />
      {hasTheme ? (
        <>
          <ThemeItems theme={theme} />
          <MenuSeparator />
        </>
      ) : null}
      <MenuItem
        icon={<KeyRound size={15} aria-hidden="true" />}
        onSelect={() => navigate({ kind: "settings" })}
      >
        Organisation secrets
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={<LogOut size={15} aria-hidden="true" />} onSelect={() => void signOut()}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
