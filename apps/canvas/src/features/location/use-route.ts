"use client";
import { useMemo, useSyncExternalStore } from "react";
import { hrefOf, parseRoute, type Route } from "./route.ts";

const NAVIGATED = "molecule:navigated";

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(NAVIGATED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(NAVIGATED, listener);
  };
}

const readAddress = () => window.location.pathname + window.location.search;

/** The route of the page's address, kept up to date through back and forward. */
export function useRoute(): Route {
  const address = useSyncExternalStore(subscribe, readAddress, () => "/");
  return useMemo(() => {
    const url = new URL(address, "http://page");
    return parseRoute(url.pathname, url.search);
  }, [address]);
}

/** One value of the route; who reads it is drawn again when that is another one, and else never. */
export function useRoutePart<T extends string | boolean | null>(read: (route: Route) => T): T {
  return useSyncExternalStore(
    subscribe,
    () => read(currentRoute()),
    () => read({ kind: "canvas" }),
  );
}

/** The route right now, for handlers. */
export function currentRoute(): Route {
  return parseRoute(window.location.pathname, window.location.search);
}

/** Goes to a route without a request. The same address again adds no history entry. */
export function navigate(route: Route, how: { replace?: boolean } = {}): void {
  const href = hrefOf(route);
  if (href === readAddress()) return;
  // The browser's own: the framework's would draw its whole page again for every address, and this page
  // is one to it.
  const { pushState, replaceState } = History.prototype;
  (how.replace === true ? replaceState : pushState).call(window.history, null, "", href);
  window.dispatchEvent(new Event(NAVIGATED));
}
