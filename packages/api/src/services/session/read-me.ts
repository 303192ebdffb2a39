import type { sessionView } from "@molecule/contracts/procedures";
import { DomainError } from "@molecule/domain/errors";
import type { z } from "zod";
import type { Auth } from "../../context.ts";

/** Who is signed in. @throws DomainError `unauthenticated`. */
export function readMe(auth: Auth): z.infer<typeof sessionView> {
  switch (auth.kind) {
    case "member":
      return { member: auth.member, expiresAt: auth.expiresAt.toISOString() };
    case "admin":
      return { member: { id: null, name: "Administrator", role: "owner" }, expiresAt: null };
    default:
      throw new DomainError("unauthenticated", "Sign in first.");
  }
}
