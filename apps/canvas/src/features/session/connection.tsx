"use client";
import type { StreamEvent } from "@molecule/contracts/events";
import type { CanvasSnapshot } from "@molecule/contracts/workspaces";
import { useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useEffectEvent,
  useMemo,
  useRef,
  useState,
} from "react";
import { type Client, useTRPC, useTRPCClient } from "../../trpc/client.tsx";
import { type ReadProblem, readProblem } from "../../trpc/problem.ts";
import { useClock } from "../clock/clock.tsx";
import { useNodeStore } from "../store/node-store.tsx";
import { browserPorts } from "../stream/browser-ports.ts";
import { backoffMs, StreamClient, type StreamState } from "../stream/stream-client.ts";

/** Whether there is something to show, and how fresh it is. */
export type Connection =
  | { readonly kind: "loading" }
  | { readonly kind: "signed-out" }
  /** No snapshot yet, and the last try failed. Another comes by itself. */
  | { readonly kind: "unavailable"; readonly problem: ReadProblem }
  | { readonly kind: "ready"; readonly stream: StreamState };

type Listener = (events: readonly StreamEvent[]) => void;

interface ConnectionApi {
  readonly connection: Connection;
  /** Tries at once instead of waiting for the back-off. */
  readonly retryNow: () => void;
  readonly addListener: (listener: Listener) => () => void;
}

const ConnectionContext = createContext<ConnectionApi | null>(null);

/** Takes the one snapshot, keeps the one stream, and feeds the node store from both. */
export function ConnectionProvider({ children }: { children: ReactNode }) {
  const client = useTRPCClient();
  const trpc = useTRPC();
  const store = useNodeStore();
  const clock = useClock();
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>({ kind: "loading" });
  const [attempt, setAttempt] = useState(0);
  const listeners = useRef(new Set<Listener>());
  const failures = useRef(0);
  const stream = useRef<StreamClient | null>(null);

  const take = useEffectEvent(async () => {
    const snapshot = await takeSnapshot(client);
    store.applySnapshot(snapshot);
    clock.learn(snapshot.at);
    return snapshot.cursor;
  });
  const resync = useEffectEvent(async () => {
    const cursor = await take();
    // Events were missed, so whatever they would have made stale is stale.
    void queries.invalidateQueries();
    return cursor;
  });
  const learnTemplates = useEffectEvent(async () => {
    const list = trpc.templates.list.queryOptions(undefined, { staleTime: 0 });
    void queries.invalidateQueries(trpc.orgs.list.queryFilter());
    // A failure leaves the list as it was; whoever opens it reads it anew.
    const templates = await queries.fetchQuery(list).catch(() => null);
    if (templates !== null) store.learnTemplates(templates);
  });
  const publish = useEffectEvent((events: readonly StreamEvent[]) => {
    store.applyEvents(events);
    for (const listener of listeners.current) listener(events);
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` is a trigger: a new number tries again.
  useEffect(() => {
    let isOver = false;
    let cancelRetry = () => {};
    const show = (state: StreamState) => {
      if (isOver) return;
      setConnection(
        state.kind === "signed-out" ? { kind: "signed-out" } : { kind: "ready", stream: state },
      );
    };
    const begin = async () => {
      try {
        const cursor = await take();
        if (isOver) return;
        failures.current = 0;
        show({ kind: "catching-up", count: 0 });
        const handlers = {
          onEvents: publish,
          onState: show,
          onResync: resync,
          onTemplates: () => void learnTemplates(),
        };
        stream.current = new StreamClient(browserPorts(), handlers, cursor);
        stream.current.start();
      } catch (error) {
        if (isOver) return;
        const problem = readProblem(error);
        if (problem.code === "unauthenticated") return setConnection({ kind: "signed-out" });
        setConnection({ kind: "unavailable", problem });
        const timer = setTimeout(
          () => setAttempt((count) => count + 1),
          backoffMs(failures.current, Math.random()),
        );
        failures.current += 1;
        cancelRetry = () => clearTimeout(timer);
      }
    };
    void begin();
    return () => {
      isOver = true;
      cancelRetry();
      stream.current?.stop();
      stream.current = null;
    };
  }, [attempt]);

  const retryNow = useCallback(() => {
    if (stream.current === null) setAttempt((count) => count + 1);
    else stream.current.reconnectNow();
  }, []);
  useEffect(() => {
    window.addEventListener("online", retryNow);
    return () => window.removeEventListener("online", retryNow);
  }, [retryNow]);

  const addListener = useCallback((listener: Listener) => {
    listeners.current.add(listener);
    return () => void listeners.current.delete(listener);
  }, []);
  const api = useMemo(
    () => ({ connection, retryNow, addListener }),
    [connection, retryNow, addListener],
  );
  return <ConnectionContext value={api}>{children}</ConnectionContext>;
}

/** The answer to the request that the page's first script sent, or to a new one. */
async function takeSnapshot(client: Client): Promise<CanvasSnapshot> {
  const early = window.__moleculeSnapshot;
  window.__moleculeSnapshot = undefined;
  const response = await early?.catch(() => undefined);
  if (response === undefined) return client.canvas.snapshot.query();
  const body: unknown = await response.json();
  if (isAnswer(body)) return body.result.data;
  throw readError(body);
}

function isAnswer(body: unknown): body is { result: { data: CanvasSnapshot } } {
  return typeof body === "object" && body !== null && "result" in body;
}

function readError(body: unknown): Error {
  const inner = typeof body === "object" && body !== null && "error" in body ? body.error : {};
  return Object.assign(new Error("The snapshot was refused."), inner);
}

function useConnectionApi(): ConnectionApi {
  const api = useContext(ConnectionContext);
  if (api === null) throw new Error("useConnection needs a ConnectionProvider above it");
  return api;
}

/** Whether the page has data, and how fresh it is. */
export function useConnection(): Connection {
  return useConnectionApi().connection;
}

/** Tries to connect at once. */
export function useRetryNow(): () => void {
  return useConnectionApi().retryNow;
}

/**
 * Calls `listener` with every batch of events, after the node store has them. For query caches:
 * append to or invalidate what an event made stale. The listener may change between renders.
 */
export function useStreamEvents(listener: Listener): void {
  const { addListener } = useConnectionApi();
  const onEvents = useEffectEvent(listener);
  useEffect(() => addListener((events) => onEvents(events)), [addListener]);
}
