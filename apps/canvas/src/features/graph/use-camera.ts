"use client";
import { type OnMoveEnd, useReactFlow, useStoreApi } from "@xyflow/react";
import { useCallback, useEffect, useEffectEvent, useRef } from "react";
import { useTRPCClient } from "../../trpc/client.tsx";
import { useOrganisation } from "../store/node-store.tsx";
import type { CardNode } from "./model/flow-graph.ts";
import { absoluteRects, type LaidOut } from "./model/layout.ts";
import { boundsOf, centreOf, overlaps, type Rect } from "./model/rect.ts";

const CAMERA_MS = 240;
/** Quiet before the place of the camera is saved. */
const SAVE_AFTER_MS = 2_000;
/** Room kept around a card that the camera brings into view, in px of the window. */
const MARGIN = 40;
/** Free at the border when everything is shown, as a share of the window. */
const FIT_PADDING = 0.1;
const MIN_FIT_ZOOM = 0.1;
/** A card that was opened by its address is shown at least this large. */
const READABLE_ZOOM = 0.85;

/** The camera: where it starts, how it follows, and that it is remembered. */
export function useCamera(
  items: readonly LaidOut[],
  openId: string | null,
  scopeId: string | null,
) {
  const flow = useReactFlow<CardNode>();
  const flowStore = useStoreApi();
  const client = useTRPCClient();
  const viewport = useOrganisation()?.viewport;
  const saveTimer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const startedFor = useRef<string | null | undefined>(undefined);

  const start = useEffectEvent(() => {
    const bounds = boundsOf([...absoluteRects(items).values()]);
    if (bounds === null) return;
    const isFirst = startedFor.current === undefined;
    startedFor.current = scopeId;
    const { width, height } = flowStore.getState();
    if (
      isFirst &&
      scopeId === null &&
      viewport !== undefined &&
      isKept(viewport, { width, height }, items)
    ) {
      void flow.setViewport(viewport);
      return;
    }
    const duration = isFirst ? 0 : CAMERA_MS;
    const whole = fitZoom(bounds, { width, height });
    const opened = openId === null ? undefined : absoluteRects(items).get(openId);
    if (opened !== undefined && whole < READABLE_ZOOM) {
      const { x, y } = centreOf(opened);
      void flow.setCenter(x, y, { zoom: READABLE_ZOOM, duration });
    } else {
      const { x, y } = centreOf(bounds);
      void flow.setCenter(x, y, { zoom: whole, duration });
    }
  });
  const isEmpty = items.length === 0;
  useEffect(() => {
    if (isEmpty || startedFor.current === scopeId) return;
    // A frame later, when the canvas knows its size.
    const frame = requestAnimationFrame(() => start());
    return () => cancelAnimationFrame(frame);
  }, [isEmpty, scopeId]);

  const onMoveEnd: OnMoveEnd = useCallback(
    (event, next) => {
      if (event === null || scopeId !== null) return;
      clearTimeout(saveTimer.current);
      saveTimer.current = setTimeout(() => {
        // Losing the place of the camera is not worth a message.
        client.layout.setViewport.mutate(next).catch(() => {});
      }, SAVE_AFTER_MS);
    },
    [client, scopeId],
  );
  useEffect(() => () => clearTimeout(saveTimer.current), []);

  const reveal = useCallback(
    (id: string) => {
      const rect = absoluteRects(items).get(id);
      if (rect === undefined) return;
      const { width, height } = flowStore.getState();
      const { x, y, zoom } = flow.getViewport();
      const next = {
        x: x + shiftInto(rect.x * zoom + x, rect.width * zoom, width),
        y: y + shiftInto(rect.y * zoom + y, Math.min(rect.height, 200) * zoom, height),
        zoom,
      };
      if (next.x !== x || next.y !== y) void flow.setViewport(next, { duration: CAMERA_MS });
    },
    [flow, flowStore, items],
  );
  const revealNow = useEffectEvent((id: string) => reveal(id));
  useEffect(() => {
    if (openId === null) return;
    // After the panel has pushed the canvas, whose new width decides what is covered.
    const timer = setTimeout(() => revealNow(openId), 60);
    return () => clearTimeout(timer);
  }, [openId]);

  const fitAll = useCallback(() => {
    const bounds = boundsOf([...absoluteRects(items).values()]);
    if (bounds === null) return;
    const { x, y } = centreOf(bounds);
    void flow.setCenter(x, y, { zoom: fitZoom(bounds, flowStore.getState()), duration: CAMERA_MS });
  }, [flow, flowStore, items]);
  const centre = useCallback(() => {
    const { width, height } = flowStore.getState();
    const { x, y, zoom } = flow.getViewport();
    return { x: (width / 2 - x) / zoom, y: (height / 2 - y) / zoom };
  }, [flow, flowStore]);
  return { onMoveEnd, reveal, fitAll, centre };
}

/** The zoom at which a box fills the window; never above natural size, so that few cards stay cards. */
function fitZoom(bounds: Rect, room: { readonly width: number; readonly height: number }): number {
  const free = 1 - 2 * FIT_PADDING;
  const zoom = Math.min((room.width * free) / bounds.width, (room.height * free) / bounds.height);
  return Math.max(MIN_FIT_ZOOM, Math.min(1, zoom));
}

/** How far to move so that a stretch lies inside the window; nothing when it does. */
function shiftInto(start: number, length: number, room: number): number {
  if (start < MARGIN) return MARGIN - start;
  const over = start + length - (room - MARGIN);
  return over > 0 ? -Math.min(over, start - MARGIN) : 0;
}

/** True when the remembered camera was ever moved and still shows a card. */
function isKept(
  viewport: { x: number; y: number; zoom: number },
  window_: { width: number; height: number },
  items: readonly LaidOut[],
): boolean {
  const { x, y, zoom } = viewport;
  if (x === 0 && y === 0 && zoom === 1) return false;
  const seen: Rect = {
    x: -x / zoom,
    y: -y / zoom,
    width: window_.width / zoom,
    height: window_.height / zoom,
  };
  return [...absoluteRects(items).values()].some((rect) => overlaps(seen, rect));
}
