import { DomainError } from "@molecule/domain/errors";
import { providerChoices, readOffer } from "@molecule/domain/model-offer";
import { z } from "zod";

const slug = z.string().min(1).max(100);
const envKey = z.string().regex(/^[A-Z][A-Z0-9_]{0,127}$/, "must be like OPENAI_API_KEY");
const envKeys = z.array(envKey).max(50).nullish();
const slugs = z.array(slug).max(200).nullish();

const shape = z.looseObject({
  skills: z.array(z.unknown()).max(500).nullish(),
  providers: z
    .array(
      z.looseObject({
        name: slug,
        auth_mode: z.string().max(100).nullish(),
        model_prefixes: slugs,
        model_aliases: slugs,
        base_url: z.string().max(2048).nullish(),
        auth_env: envKeys,
      }),
    )
    .max(100)
    .nullish(),
  runtime_config: z
    .looseObject({
      models: z
        .array(
          z.looseObject({ id: slug, name: z.string().max(255).nullish(), required_env: envKeys }),
        )
        .max(500)
        .nullish(),
      providers: slugs,
      provision_timeout_seconds: z.number().min(0).max(86_400).nullish(),
    })
    .nullish(),
});

/**
 * Refuses a template whose models, providers, skills or time limit cannot be meant: what a person
 * chooses from is right or it is not offered at all. @throws DomainError `bad_request` naming the field.
 */
export function checkOffer(extra: Readonly<Record<string, unknown>>): void {
  const parsed = shape.safeParse(extra);
  if (parsed.success) return;
  const issue = parsed.error.issues[0];
  const field = issue?.path.map(String).join(".") ?? "";
  const why = `the field “${field}” is not valid: ${issue?.message ?? "unknown shape"}`;
  throw new DomainError("bad_request", `config.yaml cannot be read: ${why}.`, {
    next: "Correct the file and save it again.",
  });
}

/** The part of a row of `GET /templates` that says what a template can think with. */
export interface OfferRow {
  readonly models?: readonly object[];
  readonly providers?: readonly string[];
  /** Ours: `providers` is what the models' prefixes say, because the template names none. */
  readonly providers_inferred?: true;
  readonly provider_registry?: readonly object[];
}

/** Of a template that {@link checkOffer} passed; a null is absent. Source: wire contract §11.1. */
export function offerRow(extra: Readonly<Record<string, unknown>>): OfferRow {
  const parsed = shape.parse(extra);
  const { models, providers } = parsed.runtime_config ?? {};
  const inferred = providerChoices(readOffer(extra)).flatMap(({ provider, isInferred }) =>
    provider !== null && isInferred ? [provider] : [],
  );
  return {
    ...(isSome(models) ? { models: models.map(withoutNulls) } : {}),
    ...(isSome(providers) ? { providers } : {}),
    ...(inferred.length === 0 ? {} : { providers: inferred, providers_inferred: true }),
    ...(isSome(parsed.providers) ? { provider_registry: parsed.providers.map(withoutNulls) } : {}),
  };
}

function isSome<T>(list: T[] | null | undefined): list is T[] {
  return list !== null && list !== undefined && list.length > 0;
}

function withoutNulls(row: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}
