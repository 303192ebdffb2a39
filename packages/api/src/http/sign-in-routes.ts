import { createHash } from "node:crypto";
import { DomainError } from "@molecule/domain/errors";
import { countSignIn, forgiveSignIn } from "../services/session/limit-sign-ins.ts";
import { mintLink } from "../services/session/mint-link.ts";
import { signIn } from "../services/session/sign-in.ts";
import { signOut } from "../services/session/sign-out.ts";
import { ADMIN, OPEN, SIGNED_IN } from "./guards.ts";
import { rateLimited } from "./rate-limit.ts";
import { readBytes } from "./read-body.ts";
import type { RequestContext } from "./request-context.ts";
import { json, seeOther } from "./respond.ts";
import { type Route, route, streaming } from "./router.ts";
import { isSameOrigin } from "./same-origin.ts";
import { pagePolicy } from "./security-headers.ts";
import {
  endedCookies,
  hasProbe,
  mayUseSecureCookie,
  probeCookie,
  sessionCookie,
} from "./session-cookie.ts";

const MAX_FORM_BYTES = 4096;
/** Sends the form by itself: a link preview reads the page, only a browser gets further. */
const SUBMIT_SCRIPT = "document.forms[0].submit();";
const SUBMIT_HASH = `'sha256-${createHash("sha256").update(SUBMIT_SCRIPT).digest("base64")}'`;

/** Signing in by a one-time link, and out. Source: architecture 11, security C2 rows 4 and 5. */
export const signInRoutes: readonly Route[] = [
  route("GET", "/sign-in", OPEN, showPage),
  streaming(route("POST", "/sign-in", OPEN, exchange)),
  route("POST", "/sign-out", SIGNED_IN, endSession),
  route("POST", "/admin/sign-in-links", ADMIN, newLink),
];

function showPage({ query, req, deps }: RequestContext): Response {
  const token = query.get("token") ?? "";
  const response = page(
    200,
    `<p>Signing you in…</p>
<form method="post" action="/sign-in"><input type="hidden" name="token" value="${escaped(token)}">
<button>Sign in</button></form><script>${SUBMIT_SCRIPT}</script>`,
  );
  if (mayUseSecureCookie(req.headers.get("host") ?? "", deps.platform.publicUrl)) {
    response.headers.append("set-cookie", probeCookie());
  }
  return response;
}

async function exchange(context: RequestContext): Promise<Response> {
  const { deps, req, peer } = context;
  if (req.headers.get("origin") !== null && !isSameOrigin(req.headers)) {
    throw new DomainError("forbidden", "This request did not come from a page of this platform.");
  }
  const token = await tokenOf(req);
  const state = await countSignIn(deps, peer.ip);
  if (state.isExceeded) throw rateLimited(state);
  const signedIn = token === "" ? null : await signIn(deps, token);
  if (signedIn === null) {
    deps.log.warn({ ip: peer.ip, requestId: context.requestId }, "sign-in refused");
    return refused();
  }
  await forgiveSignIn(deps, peer.ip);
  deps.log.info({ member: signedIn.member.id, ip: peer.ip }, "signed in");
  const host = req.headers.get("host") ?? "";
  const mayBeSecure = mayUseSecureCookie(host, deps.platform.publicUrl);
  const isSecure = mayBeSecure && hasProbe(req.headers.get("cookie"));
  if (!isSecure) {
    deps.log.warn({ host }, "the session cookie is not protected by https here");
  }
  return seeOther("/", [["set-cookie", sessionCookie(signedIn.secret, isSecure)]]);
}

/** A link for scripts and for the owner; only the admin token can make one without a machine login. */
async function newLink({ deps, auth }: RequestContext): Promise<Response> {
  if (auth.kind !== "admin") {
    throw new DomainError("forbidden", "Only the admin token can make a sign-in link.", {
      next: "Run “npm run link” where the platform runs.",
    });
  }
  const link = await mintLink(deps);
  return json(201, { url: link.url, expires_in: link.expiresInSeconds });
}

async function endSession({ deps, auth }: RequestContext): Promise<Response> {
  await signOut(deps, auth);
  const response = json(200, { status: "signed_out" });
  for (const cookie of endedCookies()) response.headers.append("set-cookie", cookie);
  return response;
}

async function tokenOf(req: Request): Promise<string> {
  const text = new TextDecoder().decode(await readBytes(req, MAX_FORM_BYTES));
  if ((req.headers.get("content-type") ?? "").startsWith("application/json")) {
    try {
      const value: unknown = JSON.parse(text);
      const isObject = typeof value === "object" && value !== null && "token" in value;
      return isObject && typeof value.token === "string" ? value.token : "";
    } catch {
      throw new DomainError("bad_request", "The body is not valid JSON.");
    }
  }
  return new URLSearchParams(text).get("token") ?? "";
}

function refused(): Response {
  return page(
    401,
    `<p>This sign-in link is unknown, was used already, or is older than 15 minutes.</p>
<p>Run <code>npm run link</code> where the platform runs to get a fresh one.</p>`,
  );
}

function page(status: number, content: string): Response {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Sign in to Molecule</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:20vh auto;max-width:26rem;padding:0 1rem;
color-scheme:light dark}button{font:inherit;padding:.5rem 1rem}</style>
<h1>Molecule</h1>${content}</html>`;
  return new Response(html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": pagePolicy([SUBMIT_HASH]),
    },
  });
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
