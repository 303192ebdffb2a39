import type { Platform } from "./platform.ts";

/** What the platform has acknowledged last for one workspace; null: deleted. */
export interface Acknowledged {
  readonly files: Map<string, string | null>;
  readonly secrets: Map<string, string | null>;
  model: string | null;
  instructions: string | null;
}

/** Draws numbers from 0 up to, not including, `below`; the same seed draws the same ones. */
export function createDice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    // mulberry32. Source: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Nothing was written to it yet. */
export function nothingWritten(): Acknowledged {
  return { files: new Map(), secrets: new Map(), model: null, instructions: null };
}

/** One random write to a workspace; what it leaves behind is noted once it is acknowledged. */
export async function writeOnce(
  platform: Platform,
  target: { readonly id: string; readonly known: Acknowledged },
  dice: (below: number) => number,
): Promise<void> {
  const { id, known } = target;
  const value = `value ${dice(2 ** 31)}`;
  switch (dice(8)) {
    case 0:
      await platform.call("PUT", `/workspaces/${id}/model`, { model: value });
      known.model = value;
      return;
    case 1:
      await platform.call("PUT", `/workspaces/${id}/files/system-prompt.md`, { content: value });
      known.instructions = value;
      return;
    case 2:
    case 3: {
      const key = `CHAOS_${dice(4)}`;
      await platform.call("PUT", `/workspaces/${id}/secrets`, { key, value });
      known.secrets.set(key, value);
      return;
    }
    case 4: {
      const written = [...known.files].filter(([, content]) => content !== null);
      const [file] = written[dice(Math.max(written.length, 1))] ?? [];
      if (file === undefined) return await writeFile(platform, target, `note-0.md`, value);
      await platform.call("DELETE", `/workspaces/${id}/files/${file}`);
      known.files.set(file, null);
      return;
    }
    default:
      await writeFile(platform, target, `note-${dice(6)}.md`, value);
  }
}

async function writeFile(
  platform: Platform,
  { id, known }: { readonly id: string; readonly known: Acknowledged },
  file: string,
  content: string,
): Promise<void> {
  await platform.call("PUT", `/workspaces/${id}/files/${file}`, { content });
  known.files.set(file, content);
}
