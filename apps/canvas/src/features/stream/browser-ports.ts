import type { CheckEvent } from "./check-event.ts";
import type { Socket, StreamPorts } from "./stream-client.ts";

/** Quiet after the first draw before the schemas of events are fetched. */
const FETCH_SCHEMAS_AFTER_MS = 2_000;

/** Time between two deliveries while the page is hidden, where no frames are drawn. */
const HIDDEN_DELIVERY_MS = 1_000;

/**
 * The stream's surroundings in a browser. The schemas of events are a sixth of the first load, so they
 * come after it; what arrives before is taken as the server, which checks it too, has sent it.
 */
export function browserPorts(): StreamPorts {
  let check: CheckEvent = (event) => event;
  setTimeout(() => {
    // Without them the stream goes on as before.
    import("./check-event.ts").then(
      (loaded) => {
        check = loaded.checkEvent;
      },
      () => undefined,
    );
  }, FETCH_SCHEMAS_AFTER_MS);
  return {
    open: openSocket,
    checked: (event) => check(event),
    nextFrame: (callback) => {
      if (document.hidden) {
        const timer = setTimeout(callback, HIDDEN_DELIVERY_MS);
        return () => clearTimeout(timer);
      }
      const frame = requestAnimationFrame(callback);
      return () => cancelAnimationFrame(frame);
    },
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
    nowMs: () => Date.now(),
    random: () => Math.random(),
  };
}

function openSocket(cursor: string): Socket {
  const scheme = window.location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(
    `${scheme}//${window.location.host}/ws?after=${encodeURIComponent(cursor)}`,
  );
  const port: Socket = {
    onopen: null,
    onmessage: null,
    onclose: null,
    close: () => socket.close(),
  };
  socket.onopen = () => port.onopen?.();
  socket.onmessage = (message) => port.onmessage?.({ data: message.data });
  socket.onclose = (close) => port.onclose?.({ code: close.code });
  return port;
}
