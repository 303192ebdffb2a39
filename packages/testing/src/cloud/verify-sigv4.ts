import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** A request as its signature covers it. Header names are in lower case. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they came over the wire. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

/** Who may sign. */
export interface SigningKey {
  readonly secret: string;
  /** Temporary credentials come with a token, which has to be sent with the request. */
  readonly sessionToken?: string | undefined;
}

/** What a signature is checked against. */
export interface SignatureRules {
  /** Name of the service in the scope (`ec2`, `ec2-instance-connect`). */
  readonly service: string;
  /** Null: nobody has this access key. */
  readonly keyOf: (accessKeyId: string) => SigningKey | null;
  /** Default `Date.now`. */
  readonly nowMs?: () => number;
}

/** A signature in a header may be this old or this far ahead. Source: AWS, signing of requests. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/**
 * Checks AWS Signature Version 4, in the query or in the header, from the published description alone:
 * it shares no code with any client, so that a mistake in both cannot cancel out.
 * Answers what is wrong, or null.
 */
export function signatureProblem(request: SignedRequest, rules: SignatureRules): string | null {
  const at = request.target.indexOf("?");
  const path = at === -1 ? request.target : request.target.slice(0, at);
  const query = parseQuery(at === -1 ? "" : request.target.slice(at + 1));
  const inQuery = query.find(([name]) => name === "X-Amz-Signature") !== undefined;
  const claim = inQuery ? claimOfQuery(query) : claimOfHeader(request);
  if (typeof claim === "string") return claim;
  const [accessKeyId = "", day = "", region = "", service, end] = claim.credential.split("/");
  if (service !== rules.service) return `signed for the service ${service}`;
  if (end !== "aws4_request" || !claim.date.startsWith(day)) return "a malformed scope";
  const key = rules.keyOf(accessKeyId);
  if (key === null) return "an unknown access key";
  if ((key.sessionToken ?? "") !== claim.sessionToken) return "another session token";
  const ageMs = (rules.nowMs ?? Date.now)() - instantOf(claim.date);
  if (!(ageMs >= -CLOCK_TOLERANCE_MS && ageMs <= claim.validMs)) return "signed too long ago";
  if (!claim.signedHeaders.split(";").includes("host")) return "the host is not signed";

  const canonical = [
    request.method,
    path,
    canonicalQuery(query.filter(([name]) => name !== "X-Amz-Signature")),
    ...claim.signedHeaders.split(";").map((name) => `${name}:${headerOf(request, name)}`),
    "",
    claim.signedHeaders,
    // Nothing but the empty body goes with a signature in the query of an upgrade.
    sha256(inQuery ? new Uint8Array() : request.body),
  ].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", claim.date, scope, sha256(canonical)].join("\n");
  const derived = [day, region, service, "aws4_request"].reduce(
    (secret: Buffer | string, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${key.secret}`,
  );
  const expected = createHmac("sha256", derived).update(text).digest("hex");
  const isEqual =
    expected.length === claim.signature.length &&
    timingSafeEqual(Buffer.from(expected), Buffer.from(claim.signature));
  return isEqual ? null : "the signature does not match";
}

interface Claim {
  readonly credential: string;
  /** `20260102T030405Z`. */
  readonly date: string;
  readonly validMs: number;
  readonly signedHeaders: string;
  readonly signature: string;
  /** Empty: none was sent. */
  readonly sessionToken: string;
}

function claimOfQuery(query: readonly (readonly [string, string])[]): Claim | string {
  const get = (name: string) => query.find(([one]) => one === name)?.[1] ?? "";
  if (get("X-Amz-Algorithm") !== "AWS4-HMAC-SHA256") return "an unknown algorithm";
  const seconds = Number(get("X-Amz-Expires"));
  if (!(seconds >= 1 && seconds <= 604_800)) return "no time until which it is valid";
  return {
    credential: get("X-Amz-Credential"),
    date: get("X-Amz-Date"),
    validMs: seconds * 1_000,
    signedHeaders: get("X-Amz-SignedHeaders"),
    signature: get("X-Amz-Signature"),
    sessionToken: get("X-Amz-Security-Token"),
  };
}

function claimOfHeader(request: SignedRequest): Claim | string {
  const header = headerOf(request, "authorization");
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/.exec(
      header,
    );
  if (match === null) return "no signature";
  return {
    credential: match[1] ?? "",
    date: headerOf(request, "x-amz-date"),
    validMs: CLOCK_TOLERANCE_MS,
    signedHeaders: match[2] ?? "",
    signature: match[3] ?? "",
    sessionToken: headerOf(request, "x-amz-security-token"),
  };
}

function headerOf(request: SignedRequest, name: string): string {
  const value = request.headers[name];
  const text = typeof value === "string" || value === undefined ? (value ?? "") : value.join(",");
  return text.trim().replace(/ +/g, " ");
}

function parseQuery(query: string): [string, string][] {
  if (query === "") return [];
  return query.split("&").map((part) => {
    const at = part.indexOf("=");
    const name = at === -1 ? part : part.slice(0, at);
    return [decodeURIComponent(name), decodeURIComponent(at === -1 ? "" : part.slice(at + 1))];
  });
}

function canonicalQuery(query: readonly (readonly [string, string])[]): string {
  return query
    .map(([name, value]) => [escapeStrictly(name), escapeStrictly(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map((pair) => pair.join("="))
    .join("&");
}

/** RFC 3986: everything but unreserved characters. */
function escapeStrictly(text: string): string {
  return [...Buffer.from(text, "utf8")]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9\-._~]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}

function instantOf(date: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (parts === null) return Number.NaN;
  const [, year, month, day, hour, minute, second] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
