import type { TerminalEnd, TerminalSize, TerminalStage } from "@molecule/domain/terminal";

/**
 * The terminal's WebSocket, without schemas, so that a browser loads none for it.
 *
 * A client that asks for this subprotocol gets output as binary frames and {@link TerminalNotice}s as
 * text frames, and sends input as binary frames and {@link TerminalOrder}s as text frames. One that asks
 * for none speaks as the wire contract §15 says: output is binary, whatever it sends is input.
 */
export const TERMINAL_PROTOCOL = "molecule.terminal.v1";
/** In front of a ticket in the list of subprotocols: so it is in no address and in no log of addresses. */
export const TERMINAL_TICKET_PREFIX = "molecule.ticket.";

/** What a viewer is told. */
export type TerminalNotice =
  | { readonly kind: "stage"; readonly stage: TerminalStage }
  /** The shell is there; what it has printed so far follows. */
  | ({ readonly kind: "ready"; readonly session: string; readonly isNew: boolean } & TerminalSize)
  /** Every viewer shows this size. */
  | ({ readonly kind: "size" } & TerminalSize)
  /** So many bytes came faster than this viewer read; what is shown begins anew after them. */
  | { readonly kind: "gap"; readonly bytes: number }
  | { readonly kind: "viewers"; readonly count: number }
  | { readonly kind: "warning"; readonly end: TerminalEnd; readonly inSeconds: number }
  /** The last one; the connection is closed with the end's code. */
  | {
      readonly kind: "end";
      readonly end: TerminalEnd;
      readonly sentence: string;
      readonly next: string;
      /** Of a shell that ended by itself and whose code is known. */
      readonly exitCode?: number | undefined;
    };

/** What a viewer asks for. */
export type TerminalOrder =
  | ({ readonly kind: "resize" } & TerminalSize)
  /** Ends the shell for everybody. */
  | { readonly kind: "close" };
