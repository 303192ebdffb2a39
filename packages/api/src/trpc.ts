import { DomainError, isDomainError } from "@molecule/domain/errors";
import { initTRPC, TRPCError } from "@trpc/server";
import type { Context } from "./context.ts";
import { newRequestId, problemOf, TRPC_CODES, toDomainError } from "./errors.ts";

const t = initTRPC.context<Context>().create({
  errorFormatter({ shape, error, ctx }) {
    const failure = failureOf(error);
    return {
      ...shape,
      message: failure.message,
      data: {
        code: shape.data.code,
        httpStatus: shape.data.httpStatus,
        problem: problemOf(failure, ctx?.requestId ?? newRequestId()),
      },
    };
  },
});

/** The failure behind what tRPC caught: ours, a refused input, or one of tRPC's own about the call. */
function failureOf(error: TRPCError): DomainError {
  // tRPC reads the body and the query by itself: what is no JSON is the caller's.
  const isNoJson = error.code === "BAD_REQUEST" && error.cause instanceof SyntaxError;
  if (error.cause !== undefined && !isNoJson) return toDomainError(error.cause);
  switch (error.code) {
    case "NOT_FOUND":
      return new DomainError("not_found", "There is no such procedure.");
    case "PAYLOAD_TOO_LARGE":
      return new DomainError("payload_too_large", "The request is larger than 1 MB.");
    case "PARSE_ERROR":
    case "BAD_REQUEST":
    case "METHOD_NOT_SUPPORTED":
      return new DomainError("bad_request", "The request is not valid.");
    case "UNSUPPORTED_MEDIA_TYPE":
      return new DomainError("unsupported_media_type", "Send the request as JSON.");
    default:
      return toDomainError(error);
  }
}

/** Places our codes in tRPC's and logs what nobody foresaw, once. */
const translated = t.middleware(async ({ ctx, path, next }) => {
  const result = await next();
  if (result.ok) return result;
  const failure = failureOf(result.error);
  if (failure.code === "internal") {
    const { requestId } = ctx;
    ctx.deps.log.error({ err: failure.cause, path, requestId }, "procedure failed");
  }
  if (isDomainError(result.error.cause) || failure.code === "platform_unavailable") {
    throw new TRPCError({
      code: TRPC_CODES[failure.code],
      message: failure.message,
      cause: failure,
    });
  }
  return result;
});

const anyone = t.procedure.use(translated);

/** Members and the admin token; everything that only reads. */
export const readProcedure = anyone.use(({ ctx, next }) => {
  const { auth } = ctx;
  if (auth.kind !== "member" && auth.kind !== "admin") {
    throw new DomainError("unauthenticated", "Sign in first.", {
      next: "Open a fresh sign-in link: run “npm run link” where the platform runs.",
    });
  }
  return next({ ctx: { ...ctx, auth } });
});

/** Like {@link readProcedure}, without viewers; everything that changes something. */
export const writeProcedure = readProcedure.use(({ ctx, next }) => {
  if (ctx.auth.kind === "member" && ctx.auth.member.role === "viewer") {
    throw new DomainError("forbidden", "You can look at everything here, but not change it.", {
      next: "Ask the owner to make you an editor.",
    });
  }
  return next();
});

export const router = t.router;
export const createCaller = t.createCallerFactory;
