/** How long a browser stays signed in, at most. Source: security C2 row 4. */
export const SESSION_ABSOLUTE_SECONDS = 30 * 24 * 3600;
/** How long a session may go unused before it ends. */
export const SESSION_IDLE_SECONDS = 7 * 24 * 3600;
/** How long a sign-in link works. Source: architecture 11. */
export const SIGN_IN_LINK_SECONDS = 15 * 60;
/** Wrong sign-in attempts from one address within {@link SIGN_IN_WINDOW_MS}; the next one is refused. */
export const MAX_WRONG_SIGN_INS = 5;
export const SIGN_IN_WINDOW_MS = 15 * 60_000;
/** A token's or session's last use is written at most this often. */
export const LAST_USED_THROTTLE_SECONDS = 60;
