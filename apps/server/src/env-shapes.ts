import { z } from "zod";

/** A variable; an empty one counts as absent. */
export const text = z
  .string()
  .optional()
  .transform((value) => (value === "" ? undefined : value));

/** A comma list; absent is none. */
export const list = text.transform((value) =>
  (value ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== ""),
);
