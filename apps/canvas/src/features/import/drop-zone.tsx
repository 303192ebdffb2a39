"use client";
import { FolderInput } from "lucide-react";
import { useEffect, useEffectEvent, useState } from "react";
import { readDropped } from "./read-dropped.ts";
import { useTake } from "./use-take.ts";

/** Takes folders and archives dropped anywhere on the page, and says so while they are above it. */
export function DropZone() {
  const { take } = useTake();
  const [isOver, setIsOver] = useState(false);
  const onDrop = useEffectEvent((event: DragEvent) => {
    setIsOver(false);
    if (!isForUs(event)) return;
    event.preventDefault();
    if (event.dataTransfer !== null) void readDropped(event.dataTransfer.items).then(take);
  });
  const onOver = useEffectEvent((event: DragEvent) => {
    const isOurs = isForUs(event);
    setIsOver(isOurs);
    if (!isOurs) return;
    event.preventDefault();
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = "copy";
  });
  const onLeave = useEffectEvent((event: DragEvent) => {
    // Going from one element to the next leaves one too; leaving the window enters none.
    if (event.relatedTarget === null) setIsOver(false);
  });
  useEffect(() => {
    const listening = new AbortController();
    const { signal } = listening;
    window.addEventListener("dragover", (event) => onOver(event), { signal });
    window.addEventListener("dragleave", (event) => onLeave(event), { signal });
    window.addEventListener("drop", (event) => onDrop(event), { signal });
    return () => listening.abort();
  }, []);
  if (!isOver) return null;
  return (
    <div
      aria-hidden="true"
      className="pointer-events-none fixed inset-2 z-50 flex animate-fade items-center justify-center rounded-xl border-2 border-dashed border-focus bg-scrim"
    >
      <p className="flex items-center gap-3 rounded-xl border border-line-strong bg-card px-5 py-4 text-md font-medium text-ink shadow-layer">
        <FolderInput size={20} className="text-focus" aria-hidden="true" />
        Drop a team or a template, as a folder or an archive
      </p>
    </div>
  );
}

function isForUs(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") === true;
}
