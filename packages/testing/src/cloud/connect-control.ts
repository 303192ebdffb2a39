/** The faults and distances of the fake Instance Connect services. Change a field at any time. */
export interface ConnectControl {
  /** How long a pushed key lets somebody in, in seconds. Negative: it has expired already. */
  grantSeconds: number;
  /** Time every answer of the API takes, in ms. */
  apiDelayMs: number;
  /** Name of the exception that every call of the API is answered with; null: none. */
  apiError: "ThrottlingException" | "AuthException" | "ServiceException" | null;
  /** Distance to the endpoint, in ms there and back. Every byte and every connect pays it. */
  roundTripMs: number;
  /** Bytes go nowhere and nothing is closed: what a dropped route looks like. */
  isBlackHole: boolean;
  /** HTTP status instead of the upgrade; null: none. */
  refuseStatus: number | null;
  /** The websocket is closed with this code before the machine says a word; null: none. */
  closeBeforeBanner: number | null;
  /** Open connections that the endpoint allows. AWS: 20. */
  maxConnections: number;
  /** A tunnel ends after this many ms whatever was asked for; null: only what was asked for counts. */
  maxTunnelMs: number | null;
}

/** What the fakes have seen. */
export interface ConnectCounts {
  /** Calls of SendSSHPublicKey, refused ones included. */
  grants: number;
  /** Upgrades that were asked for. */
  upgrades: number;
  /** Tunnels that were opened. */
  opened: number;
  /** Tunnels that are open now. */
  live: number;
  /** Most tunnels that were open at once. */
  maxLive: number;
  /** Upgrades that came while the endpoint was full. */
  overCap: number;
  /** Requests whose signature was wrong, old or missing. */
  badSignatures: number;
  /** Frames that were not binary. */
  textFrames: number;
}

/** Nothing is wrong and nothing takes time. */
export function newConnectControl(): ConnectControl {
  return {
    grantSeconds: 60,
    apiDelayMs: 0,
    apiError: null,
    roundTripMs: 0,
    isBlackHole: false,
    refuseStatus: null,
    closeBeforeBanner: null,
    maxConnections: 20,
    maxTunnelMs: null,
  };
}

export function newConnectCounts(): ConnectCounts {
  return {
    grants: 0,
    upgrades: 0,
    opened: 0,
    live: 0,
    maxLive: 0,
    overCap: 0,
    badSignatures: 0,
    textFrames: 0,
  };
}
