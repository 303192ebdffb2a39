"use client";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { json } from "@codemirror/lang-json";
import { markdown } from "@codemirror/lang-markdown";
import { yaml } from "@codemirror/lang-yaml";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
} from "@codemirror/language";
import { EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useEffectEvent, useRef } from "react";

export interface CodeEditorProps {
  path: string;
  /** Shown when it differs from what the editor holds; typing reports through `onChange`. */
  text: string;
  onChange: (text: string) => void;
  /** Ctrl or Cmd + S. */
  onSave: () => void;
}

/** A text editor with the language of the file's ending. Escape, then Tab, leaves it by keyboard. */
export function CodeEditor({ path, text, onChange, onSave }: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const changed = useEffectEvent((next: string) => onChange(next));
  const saved = useEffectEvent(() => onSave());
  const initial = useEffectEvent(() => text);

  useEffect(() => {
    if (host.current === null) return;
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: initial(),
        extensions: [
          ...EDITING,
          languageOf(path),
          keymap.of([
            {
              key: "Mod-s",
              preventDefault: true,
              run: () => {
                saved();
                return true;
              },
            },
          ]),
          EditorView.contentAttributes.of({
            "aria-label": `Content of ${path}`,
            "aria-description": "Press Escape, then Tab, to leave the editor",
          }),
          EditorView.updateListener.of((update) => {
            const isTyped = update.transactions.some(
              (transaction) => transaction.docChanged && !transaction.isUserEvent("outside"),
            );
            if (isTyped) changed(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      view.current = null;
      editor.destroy();
    };
  }, [path]);

  useEffect(() => {
    const editor = view.current;
    if (editor === null || editor.state.doc.toString() === text) return;
    editor.dispatch({
      changes: { from: 0, to: editor.state.doc.length, insert: text },
      userEvent: "outside",
    });
  }, [text]);

  return <div ref={host} className="min-h-0 flex-1 overflow-hidden" />;
}

/** Colours are the page's tokens, so that both themes work without another style sheet. */
const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--status-paused)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--status-online)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--status-degraded)" },
  {
    tag: [tags.propertyName, tags.definition(tags.variableName)],
    color: "var(--status-restarting)",
  },
  { tag: [tags.comment, tags.meta, tags.processingInstruction], color: "var(--muted)" },
  { tag: tags.heading, fontWeight: "600" },
  { tag: tags.strong, fontWeight: "600" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: [tags.link, tags.url], color: "var(--focus)" },
]);

const LOOK = EditorView.theme({
  "&": { height: "100%", fontSize: "12px", color: "var(--ink)", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": {
    fontFamily: "var(--font-geist-mono), ui-monospace, monospace",
    lineHeight: "19px",
  },
  ".cm-content": { padding: "8px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 12px 0 6px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--muted)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 6px 0 12px", minWidth: "34px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--tint)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { backgroundColor: "color-mix(in srgb, var(--focus) 28%, transparent)" },
  ".cm-matchingBracket": { outline: "1px solid var(--control)", backgroundColor: "transparent" },
});

const EDITING: readonly Extension[] = [
  lineNumbers(),
  history(),
  drawSelection(),
  indentOnInput(),
  bracketMatching(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  EditorView.lineWrapping,
  syntaxHighlighting(COLOURS),
  LOOK,
  keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
];

function languageOf(path: string): Extension {
  const ending = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  switch (ending) {
    case "md":
    case "mdx":
      return markdown();
    case "yaml":
    case "yml":
      return yaml();
    case "json":
      return json();
    case "js":
    case "mjs":
    case "cjs":
    case "jsx":
      return javascript({ jsx: true });
    case "ts":
    case "mts":
    case "tsx":
      return javascript({ typescript: true, jsx: ending === "tsx" });
    default:
      return [];
  }
}
