import { z } from "zod";
import { secretKey } from "./wire.ts";
import { isoTime } from "./workspaces.ts";

/** A secret of the organisation, without its value, and how far it reaches. */
export const organisationSecret = z.strictObject({
  key: z.string(),
  /** The value cannot be read with the present key of the platform and must be entered again. */
  mustReenter: z.boolean(),
  updatedAt: isoTime,
  /** Workspaces that run with it. */
  usedBy: z.number().int(),
  /** Workspaces that have a secret of that name of their own. */
  overriddenBy: z.number().int(),
});
export type OrganisationSecret = z.infer<typeof organisationSecret>;

const some = z.strictObject({
  count: z.number().int(),
  /** The first names by the alphabet, not all. */
  names: z.array(z.string()),
});

export const secretReachInput = z.strictObject({ key: secretKey, isRemoval: z.boolean() });

/** What a change of one of them does, and to whom. */
export const secretReach = z.strictObject({
  key: z.string(),
  /** They run, or would if it were there, and start once more with the change. */
  restarts: some,
  /** They rest, and start with it when they start. */
  waits: some,
  /** They keep a value of their own. */
  overridden: some,
  /** They cannot start without it: after a removal they run on as they are, until they have to start. */
  needs: some,
});
export type SecretReach = z.infer<typeof secretReach>;
