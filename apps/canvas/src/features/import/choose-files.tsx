"use client";
import clsx from "clsx";
import { FileArchive, FolderOpen } from "lucide-react";
import { type ChangeEvent, useRef } from "react";
import { Button } from "../../ui/button.tsx";
import { readChosenFolder, type Taken } from "./read-dropped.ts";

/** The keyboard's way to what can be dropped: a folder or an archive, through the browser's own dialog. */
export function ChooseFiles(props: {
  isBusy: boolean;
  /** One way among others: without borders. */
  isQuiet?: boolean;
  onTaken: (taken: Taken | null) => void;
}) {
  const { isBusy, isQuiet = false, onTaken } = props;
  const variant = isQuiet ? "ghost" : "secondary";
  const archive = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const onArchive = (event: ChangeEvent<HTMLInputElement>) => {
    const [file] = event.target.files ?? [];
    onTaken(file === undefined ? null : { kind: "file", label: file.name, file });
    // The same file, corrected, can be chosen again.
    event.target.value = "";
  };
  const onFolder = (event: ChangeEvent<HTMLInputElement>) => {
    onTaken(event.target.files === null ? null : readChosenFolder(event.target.files));
    event.target.value = "";
  };
  return (
    <div className={clsx("flex flex-wrap", isQuiet ? "-mx-2.5" : "gap-2")}>
      <Button
        size="sm"
        variant={variant}
        isBusy={isBusy}
        icon={<FolderOpen size={14} aria-hidden="true" />}
        onClick={() => folder.current?.click()}
      >
        {isQuiet ? "Import a folder" : "Choose a folder"}
      </Button>
      <Button
        size="sm"
        variant={variant}
        isBusy={isBusy}
        icon={<FileArchive size={14} aria-hidden="true" />}
        onClick={() => archive.current?.click()}
      >
        {isQuiet ? "Import an archive" : "Choose an archive"}
      </Button>
      <input
        ref={folder}
        type="file"
        hidden
        aria-label="Folder to import"
        {...{ webkitdirectory: "" }}
        onChange={onFolder}
      />
      <input
        ref={archive}
        type="file"
        hidden
        aria-label="Archive to import"
        accept=".zip,.gz,.tgz"
        onChange={onArchive}
      />
    </div>
  );
}
