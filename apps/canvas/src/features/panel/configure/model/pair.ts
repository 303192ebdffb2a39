import type { ProviderView } from "@molecule/contracts/workspaces";

/** Provider and model as they are edited; null: nobody has said. */
export interface Chosen {
  readonly provider: string | null;
  readonly model: string | null;
}

/** What can be chosen from, given what is chosen. */
export interface Pair {
  /** Empty where nobody says whose the models are: then there is no provider to choose. */
  readonly providers: readonly ProviderView[];
  /** The chosen provider, stated or read from the model's name; "" for none. */
  readonly provider: string;
  /** The provider is not one of those that are offered. */
  readonly isUnlistedProvider: boolean;
  /** Nobody stated the provider: it follows from the model. */
  readonly isInferred: boolean;
  readonly models: ProviderView["models"];
  /** The chosen model is one of them, or none is chosen. */
  readonly isListed: boolean;
  /** Everything the pair needs, met or not; of each need one key is enough. */
  readonly needs: readonly (readonly string[])[];
}

/** The pair that is chosen from an offer. What is stated is shown, whether it is offered or not. */
export function pairOf(offer: readonly ProviderView[], { provider, model }: Chosen): Pair {
  const hasProviders = offer.some((one) => one.provider !== null);
  const ofModel = offer.find(({ models }) => models.some(({ id }) => id === model));
  const stated = provider === null ? undefined : offer.find((one) => one.provider === provider);
  const shown = provider === null ? ofModel : stated;
  const models = (hasProviders ? shown?.models : offer.flatMap((one) => one.models)) ?? [];
  const listed = models.find(({ id }) => id === model);
  return {
    providers: hasProviders ? offer : [],
    provider: provider ?? shown?.provider ?? "",
    isUnlistedProvider: provider !== null && stated === undefined,
    isInferred: provider === null && (shown?.provider ?? null) !== null,
    models,
    isListed: model === null || listed !== undefined,
    needs: listed?.keys ?? shown?.keys ?? [],
  };
}

/** What is chosen after another provider was; its first model, unless it has the present one too. */
export function withProvider(
  offer: readonly ProviderView[],
  chosen: Chosen,
  provider: string,
): Chosen {
  const models = offer.find((one) => (one.provider ?? "") === provider)?.models ?? [];
  const isKept = models.some(({ id }) => id === chosen.model);
  return {
    provider: provider === "" ? null : provider,
    model: isKept ? chosen.model : (models[0]?.id ?? null),
  };
}
