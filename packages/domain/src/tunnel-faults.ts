import type { TunnelFault } from "./sets.ts";

/** What is known of a fault beside its kind. Codes and numbers only; never a text of another party. */
export interface TunnelFacts {
  /** Of a refused upgrade or a refused call. */
  readonly httpStatus?: number;
  /** Of a closed websocket. */
  readonly closeCode?: number;
  /** Of the socket, such as `ECONNREFUSED`. */
  readonly code?: string;
  /** Name of the exception of AWS. */
  readonly awsError?: string;
  /** For whoever asks AWS. */
  readonly requestId?: string;
  /** How old the pushed key was when it was used, in ms. */
  readonly grantAgeMs?: number;
}

const RETRYABLE: ReadonlySet<TunnelFault> = new Set([
  "ws-closed",
  "peer-closed",
  "protocol",
  "keepalive-timeout",
  "handshake-timeout",
  "api-throttled",
  "api-unreachable",
]);
/** A certificate that is not trusted is not trusted the next time either. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);
/** A grant lasts 60 s; one that was used later than this may have been too late. */
const OLD_GRANT_MS = 45_000;

/** Whether a fresh connection may succeed where this one failed. SPEC: TU7. */
export function isRetryableFault(fault: TunnelFault, facts: TunnelFacts): boolean {
  if (fault === "ws-unreachable") return !CERTIFICATE_CODES.has(facts.code ?? "");
  if (fault === "ws-rejected") return facts.httpStatus === 429 || (facts.httpStatus ?? 0) >= 500;
  // It is being started: the call succeeds a moment later.
  if (fault === "api-rejected") return facts.awsError === "EC2InstanceUnavailableException";
  return RETRYABLE.has(fault);
}

/** Whether a refused sign-in deserves one more try with a fresh grant. SPEC: TU13. */
export function deservesFreshGrant(fault: TunnelFault, facts: TunnelFacts): boolean {
  return fault === "auth-failed" && (facts.grantAgeMs ?? 0) > OLD_GRANT_MS;
}

/**
 * What kind of failure ended a use of a connection. `file`, `exec`, `channel`: an answer of the machine.
 * `expected`: the caller's own decision. `timeout`: no answer yet. `unknown`: nobody expected it.
 */
export type UseFailure =
  | "tunnel"
  | "file"
  | "exec"
  | "channel"
  | "timeout"
  | "expected"
  | "unknown";

/** What the end of a use means for its connection. SPEC: TU9. */
export function verdictOn(failure: UseFailure): "keep" | "poison" {
  return failure === "tunnel" || failure === "unknown" ? "poison" : "keep";
}

/** Whether an operation is done again on a fresh connection. SPEC: TU8. */
export function mayReplay(
  failure: UseFailure,
  facts: {
    readonly isIdempotent: boolean;
    readonly isRetryable: boolean;
    readonly replays: number;
  },
): boolean {
  return failure === "tunnel" && facts.isIdempotent && facts.isRetryable && facts.replays === 0;
}

/** What a person reads of a fault. */
export function sentenceOfFault(fault: TunnelFault): string {
  return SENTENCES[fault];
}

const SENTENCES: Readonly<Record<TunnelFault, string>> = {
  "api-rejected": "AWS refused to let the platform sign in at this machine.",
  "api-throttled": "AWS asks for fewer requests at the moment.",
  "api-unreachable": "AWS could not be reached.",
  "ws-rejected": "The Instance Connect Endpoint refused the connection.",
  "ws-unreachable": "The Instance Connect Endpoint could not be reached.",
  "target-unreachable": "The machine does not answer on its SSH port.",
  "ws-closed": "The connection to the machine was closed.",
  "ssh-handshake": "The machine and the platform found no common SSH protocol.",
  "host-key-mismatch": "The machine that answered is not the one that was expected.",
  "auth-failed": "The machine did not accept the platform's key.",
  "handshake-timeout": "The machine did not answer in time.",
  "keepalive-timeout": "The machine no longer answers.",
  "peer-closed": "The machine ended the connection.",
  protocol: "The machine sent something that is no SSH.",
  "pool-full": "All connections that the endpoint allows are in use.",
  "pool-closed": "The platform is being stopped.",
};
