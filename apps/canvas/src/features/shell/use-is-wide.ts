"use client";
import { useEffect, useState } from "react";

/** True while the window is at least `minWidthPx` wide; undefined before the page knows. */
export function useIsWide(minWidthPx: number): boolean | undefined {
  const [isWide, setIsWide] = useState<boolean | undefined>(undefined);
  useEffect(() => {
    const query = matchMedia(`(min-width: ${minWidthPx}px)`);
    const read = () => setIsWide(query.matches);
    read();
    query.addEventListener("change", read);
    return () => query.removeEventListener("change", read);
  }, [minWidthPx]);
  return isWide;
}
