import type { TemplateView } from "@molecule/contracts/workspaces";

type ProviderView = TemplateView["providers"][number];
type ModelView = ProviderView["models"][number];

/** One thing that must be set: any one of these keys. */
export type Need = readonly string[];

/** What a draft would think with, and what that needs. */
export interface Brain {
  /** Empty where there is nothing to choose: the template names no provider, and nor do its models. */
  readonly providers: readonly ProviderView[];
  /** The chosen one's name; "" where nobody says whose models these are. */
  readonly provider: string;
  /** Nobody stated the chosen one; the names of its models do. */
  readonly isInferred: boolean;
  /** Those of the chosen provider; empty where any name is typed. */
  readonly models: readonly ModelView[];
  /** "" while none is chosen. */
  readonly model: string;
  readonly isListed: boolean;
  /** Everything the pair needs, met or not. */
  readonly needs: readonly Need[];
}

/** Provider, model and needs of a template with what the draft has chosen so far. */
export function brainOf(
  template: TemplateView,
  draft: { readonly provider: string | null; readonly model: string | null },
): Brain {
  const providers = template.providers;
  const chosen = chosenProvider(template, draft.provider);
  const models = chosen?.models ?? [];
  const model = draft.model ?? defaultModel(template, chosen);
  const listed = models.find(({ id }) => id === model);
  return {
    providers: providers.some(({ provider }) => provider !== null) ? providers : [],
    provider: chosen?.provider ?? "",
    isInferred: chosen?.isInferred ?? false,
    models,
    model,
    isListed: listed !== undefined,
    needs: listed?.keys ?? chosen?.keys ?? template.requiredEnv.map((key) => [key]),
  };
}

/** The draft's, else the template's own, else that of the template's model, else the first. */
function chosenProvider(template: TemplateView, wanted: string | null): ProviderView | undefined {
  const { providers, model } = template;
  const named = (name: string | null) =>
    name === null ? undefined : providers.find(({ provider }) => (provider ?? "") === name);
  return (
    named(wanted) ??
    named(template.provider) ??
    providers.find(({ models }) => models.some(({ id }) => id === model)) ??
    providers[0]
  );
}

function defaultModel(template: TemplateView, chosen: ProviderView | undefined): string {
  if (chosen === undefined) return template.model;
  if (chosen.models.some(({ id }) => id === template.model)) return template.model;
  // The template's own provider takes the template's own model, listed or not.
  if (chosen.provider !== null && chosen.provider === template.provider) return template.model;
  return chosen.models[0]?.id ?? "";
}

/** The needs that none of the set keys meets. */
export function openNeeds(needs: readonly Need[], setKeys: readonly string[]): readonly Need[] {
  return needs.filter((need) => !need.some((key) => setKeys.includes(key)));
}

/** `A`, or `A or B` where one of several is enough. */
export function needText(need: Need): string {
  return need.join(" or ");
}
