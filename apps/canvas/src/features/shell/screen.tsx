"use client";

/** What the page shows for its address and connection. */
export function Screen() {
  return <main />;
}
