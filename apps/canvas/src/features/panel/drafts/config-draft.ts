import type { ConfigDocument } from "@molecule/contracts/panel";

/** The fields of the one configuration document that the Configure tab edits. */
export type ConfigFields = ConfigDocument["desired"];
export type ConfigField = keyof ConfigFields;

/** What a person reads for each field; the order is that of the form. */
const CONFIG_FIELD_LABELS: Readonly<Record<ConfigField, string>> = {
  model: "Model",
  provider: "Provider",
  instructions: "Instructions",
  description: "Description",
  tier: "Size",
  applyPolicy: "When changes apply",
  sleepAfterMinutes: "Sleeps when idle",
};
/** Fields that are about the platform, not the agent: it need not restart for them. */
export const FIELDS_WITHOUT_RESTART: readonly ConfigField[] = ["applyPolicy", "sleepAfterMinutes"];
const FIELDS = Object.keys(CONFIG_FIELD_LABELS) as ConfigField[];

/**
 * Edits that are not saved. `mine` holds the edited fields only, `base` their values when each was
 * first edited; both have the same keys. Empty means clean.
 */
export interface ConfigDraft {
  readonly base: Partial<ConfigFields>;
  readonly mine: Partial<ConfigFields>;
}

export const EMPTY_CONFIG_DRAFT: ConfigDraft = { base: {}, mine: {} };

/** One edited field as the review shows it. */
export interface ConfigChange {
  readonly field: ConfigField;
  readonly label: string;
  readonly current: ConfigFields[ConfigField];
  readonly mine: ConfigFields[ConfigField];
  /** Somebody saved another value since this field was edited. */
  readonly isConflict: boolean;
}

/** The draft after one edit. An edit back to the saved value leaves no trace. */
export function editField<F extends ConfigField>(
  draft: ConfigDraft,
  saved: ConfigFields,
  edit: { field: F; value: ConfigFields[F] },
): ConfigDraft {
  const { field, value } = edit;
  if (value === saved[field]) return revertField(draft, field);
  const base = field in draft.base ? draft.base : { ...draft.base, [field]: saved[field] };
  return { base, mine: { ...draft.mine, [field]: value } };
}

/** The draft without one field. */
export function revertField(draft: ConfigDraft, field: ConfigField): ConfigDraft {
  const { [field]: _base, ...base } = draft.base;
  const { [field]: _mine, ...mine } = draft.mine;
  return { base, mine };
}

/** The value the form shows: mine if edited, else what is saved. */
export function shownValue<F extends ConfigField>(
  draft: ConfigDraft,
  saved: ConfigFields,
  field: F,
): ConfigFields[F] {
  return field in draft.mine ? (draft.mine[field] as ConfigFields[F]) : saved[field];
}

/** Edited fields whose value differs from what is saved now, in form order. */
export function configChanges(draft: ConfigDraft, saved: ConfigFields): ConfigChange[] {
  return FIELDS.filter((field) => field in draft.mine && draft.mine[field] !== saved[field]).map(
    (field) => ({
      field,
      label: CONFIG_FIELD_LABELS[field],
      current: saved[field],
      mine: draft.mine[field] as ConfigFields[ConfigField],
      isConflict: draft.base[field] !== saved[field],
    }),
  );
}

/** The person has seen the other value and keeps their own: it is no conflict any more. */
export function keepMine(draft: ConfigDraft, saved: ConfigFields, field: ConfigField): ConfigDraft {
  return { ...draft, base: { ...draft.base, [field]: saved[field] } };
}
