"use client";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** Nearer to the end than this counts as being there. */
const NEAR_PX = 48;

/**
 * Keeps a scrolled list at its end while the reader is there, and where the reader is while older
 * rows are put before the first one. `firstKey` names the first row.
 */
export function useStickToBottom(
  scroller: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>,
  firstKey: string | undefined,
) {
  const isStuck = useRef(true);
  const heightBefore = useRef(0);
  const [isAway, setIsAway] = useState(false);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new first row is the trigger.
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    if (isStuck.current) box.scrollTop = box.scrollHeight;
    else if (heightBefore.current > 0) box.scrollTop += box.scrollHeight - heightBefore.current;
    return () => {
      heightBefore.current = box.scrollHeight;
    };
  }, [scroller, firstKey]);

  useEffect(() => {
    const box = scroller.current;
    const inner = content.current;
    if (box === null || inner === null) return;
    const follow = () => {
      if (isStuck.current) box.scrollTop = box.scrollHeight;
    };
    const onScroll = () => {
      isStuck.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
      heightBefore.current = box.scrollHeight;
      setIsAway(!isStuck.current);
    };
    const observer = new ResizeObserver(follow);
    observer.observe(inner);
    observer.observe(box);
    box.addEventListener("scroll", onScroll, { passive: true });
    follow();
    return () => {
      observer.disconnect();
      box.removeEventListener("scroll", onScroll);
    };
  }, [scroller, content]);

  const toBottom = useCallback(() => {
    isStuck.current = true;
    const box = scroller.current;
    if (box !== null) box.scrollTop = box.scrollHeight;
  }, [scroller]);
  return { isAway, toBottom };
}
