import type { Deps } from "../../deps.ts";

/** Whether one part could be read. */
export type PartState = { readonly ok: true } | { readonly ok: false; readonly error: string };

/** Reads parts side by side; each can fail by itself. */
export interface Parts {
  readonly states: Record<string, PartState>;
  /** What `read` answers, or `absent` when it fails; `states` says which, by `name`. */
  read<T>(name: string, read: () => Promise<T>, absent: T): Promise<T>;
}

/** Parts of the configuration of one workspace. SPEC: CF1. */
export function partsOf(deps: Deps, workspaceId: string): Parts {
  const states: Record<string, PartState> = {};
  return {
    states,
    read: async (name, read, absent) => {
      try {
        const value = await read();
        states[name] = { ok: true };
        return value;
      } catch (err) {
        deps.log.warn({ err, part: name, workspaceId }, "a part of the configuration was not read");
        states[name] = { ok: false, error: `The ${name} could not be read right now.` };
        return absent;
      }
    },
  };
}
