"use client";
import { useEffect, useRef } from "react";

/** Resting on something for this long means that it is wanted. */
const INTENT_AFTER_MS = 200;

/**
 * Calls `onIntent` with a value once the pointer or the focus has rested on its element for a moment.
 * The returned function makes the handlers of one element.
 */
export function useIntent<T>(onIntent: ((value: T) => void) | undefined) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const leave = () => clearTimeout(timer.current);
  return (value: T) => {
    if (onIntent === undefined) return {};
    const enter = () => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => onIntent(value), INTENT_AFTER_MS);
    };
    return { onPointerEnter: enter, onPointerLeave: leave, onFocus: enter, onBlur: leave };
  };
}
