import type { CreateWorkspaceInput } from "@molecule/contracts/procedures";
import type { CanvasSnapshot, TemplateView } from "@molecule/contracts/workspaces";
import type { Backend } from "@molecule/domain/sets";
import { type Brain, brainOf, type Need, needText, openNeeds } from "./brain.ts";

/** What the create sheet holds while it is open. Null is "as the template or the platform says". */
export interface Draft {
  readonly templateId: string | null;
  /** Null until typed; then the prefilled one is gone. */
  readonly name: string | null;
  readonly role: string;
  /** "" is the choice of models that nobody says whose they are. */
  readonly provider: string | null;
  readonly model: string | null;
  readonly keys: Readonly<Record<string, string>>;
  readonly parentId: string | null;
  readonly tier: number | null;
  readonly backend: Backend | null;
  readonly prompt: string;
}

/** The choice "an agent that runs somewhere else", beside the templates. */
export const EXTERNAL = "external";

/** Templates that work now first, each group in its order. */
export function orderedTemplates(
  templates: readonly TemplateView[],
  setKeys: readonly string[],
): readonly TemplateView[] {
  const usable = templates.filter((template) => template.broken === null);
  const rank = (template: TemplateView) => (missingKeys(template, setKeys).length === 0 ? 0 : 1);
  return [...usable].sort((a, b) => rank(a) - rank(b));
}

/** Those with every word of `search` in what is shown of them. */
export function searchTemplates(
  templates: readonly TemplateView[],
  search: string,
): readonly TemplateView[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return templates.filter(({ id, name, description, runtime, providers }) => {
    const models = providers.flatMap((one) => [one.provider, ...one.models.map((m) => m.name)]);
    const text = [id, name, description, runtime, ...models].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Templates that cannot be used, each with its cause. */
export function brokenTemplates(templates: readonly TemplateView[]): readonly TemplateView[] {
  return templates.filter((template) => template.broken !== null);
}

/** Keys that a template needs as it is and nobody has set: `A`, or `A or B`. */
export function missingKeys(template: TemplateView, setKeys: readonly string[]): readonly string[] {
  const { needs } = brainOf(template, { provider: null, model: null });
  return openNeeds(needs, setKeys).map(needText);
}

/** A name that no agent has: `Coder`, then `Coder 2`. */
export function freeName(wish: string, taken: readonly string[]): string {
  const lower = new Set(taken.map((name) => name.toLowerCase()));
  if (!lower.has(wish.toLowerCase())) return wish;
  for (let n = 2; ; n += 1) if (!lower.has(`${wish} ${n}`.toLowerCase())) return `${wish} ${n}`;
}

/** What keeps the draft from being created: the first field that is wrong, with a sentence. */
export interface DraftProblem {
  readonly field: "name" | "role" | "model" | `key:${string}`;
  readonly sentence: string;
}

const FORBIDDEN = /[{}[\]|>*&!\r\n]/;

/** The first problem of a draft; null when it can be created. */
export function draftProblem(
  draft: Draft,
  name: string,
  /** Null for an agent that runs elsewhere. */
  brain: Brain | null,
  missing: readonly Need[],
): DraftProblem | null {
  if (name.trim() === "") return { field: "name", sentence: "Give the agent a name." };
  if (FORBIDDEN.test(name)) {
    return { field: "name", sentence: "A name cannot contain { } [ ] | > * & or !" };
  }
  if (FORBIDDEN.test(draft.role)) {
    return { field: "role", sentence: "This cannot contain { } [ ] | > * & or !" };
  }
  if (brain !== null && brain.model.trim() === "" && brain.providers.length > 0) {
    return { field: "model", sentence: `Name a model of ${brain.provider || "this provider"}.` };
  }
  for (const need of missing) {
    if (isEntered(draft, need)) continue;
    const sentence = `This agent cannot start without ${needText(need)}.`;
    return { field: `key:${need[0] ?? ""}`, sentence };
  }
  return null;
}

/** Whether one of the keys of a need has been typed into the sheet. */
export function isEntered(draft: Pick<Draft, "keys">, need: Need): boolean {
  return need.some((key) => (draft.keys[key] ?? "").trim() !== "");
}

/** The draft as the platform takes it. `place` is relative to the parent. */
export function toInput(
  draft: Draft,
  name: string,
  brain: Brain | null,
  place: { readonly x: number; readonly y: number },
): CreateWorkspaceInput {
  const isExternal = draft.templateId === EXTERNAL;
  const secrets = Object.fromEntries(
    Object.entries(draft.keys).flatMap(([key, value]) =>
      value.trim() === "" ? [] : [[key, value.trim()]],
    ),
  );
  return {
    name: name.trim(),
    role: draft.role.trim() === "" ? null : draft.role.trim(),
    template: isExternal ? null : draft.templateId,
    runtime: isExternal ? "external" : null,
    // What the sheet shows is what is saved, also where nobody has touched it.
    provider: isExternal ? null : emptyAsNull(brain?.provider),
    model: isExternal ? null : emptyAsNull(brain?.model.trim()),
    tier: isExternal ? null : draft.tier,
    parentId: draft.parentId,
    backend: isExternal ? null : draft.backend,
    ...place,
    secrets: isExternal || Object.keys(secrets).length === 0 ? null : secrets,
  };
}

function emptyAsNull(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}

/** What choosing a backend means, in a sentence. */
export function backendNote(
  platform: CanvasSnapshot["platform"] | undefined,
  chosen: Backend | null,
): string {
  if (platform === undefined) return "";
  if (chosen === null || chosen === platform.defaultBackend) return platform.backendNote;
  return platform.backends.find((backend) => backend.name === chosen)?.note ?? "";
}
