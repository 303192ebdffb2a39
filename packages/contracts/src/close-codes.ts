/** WebSocket close codes of ours; apart from the schemas, so that a browser loads no schema for them. */

/** The session ended: sign in again, do not reconnect. */
export const WS_CLOSE_SIGNED_OUT = 4401;
/** The client read too slowly; reconnect from the last cursor. */
export const WS_CLOSE_SLOW_CLIENT = 4408;
