/** What the demo agent was asked for, as far as it understands. */
export type DemoRequest =
  | { readonly kind: "help" }
  | { readonly kind: "list"; readonly folder: string }
  | { readonly kind: "read"; readonly file: string }
  | { readonly kind: "write"; readonly file: string; readonly content: string }
  | { readonly kind: "who" }
  | { readonly kind: "settings" }
  | { readonly kind: "restart" }
  | { readonly kind: "peers" }
  | { readonly kind: "delegate"; readonly peer: string; readonly task: string }
  | { readonly kind: "notify"; readonly message: string }
  | { readonly kind: "count"; readonly to: number }
  | { readonly kind: "unknown"; readonly text: string };

type Rule = readonly [RegExp, (match: RegExpExecArray) => DemoRequest];

const MAX_COUNT = 1000;
const QUOTES = /^["'`“”‘’]+|["'`“”‘’]+$/g;

function unquote(text: string | undefined): string {
  return (text ?? "").trim().replace(QUOTES, "");
}

function sentenceEnd(text: string | undefined): string {
  return unquote((text ?? "").trim().replace(/[.?!]+$/, ""));
}

const POLITE =
  /^(?:(?:hi|hello|hey)[,!.]?\s+)?(?:please[,]?\s+|(?:can|could|would|will) you (?:please )?)/i;

/** First match wins; each is tried on the whole message without case. */
const RULES: readonly Rule[] = [
  [/^(?:help|what can you do|commands|hi|hello|hey)\b[\s.?!]*$/i, () => ({ kind: "help" })],
  [
    /^(?:delegate|hand(?: over)?|give|send)\s+(?:this\s+)?(?:a task\s+)?to\s+([^:\n]+?)\s*:\s*([\s\S]+)$/i,
    (m) => ({ kind: "delegate", peer: unquote(m[1]), task: (m[2] ?? "").trim() }),
  ],
  [
    /^(?:ask|tell)\s+(?!me\b|us\b)(?:"([^"]+)"|(.+?))\s+(?:to|for|about)\s+([\s\S]+)$/i,
    (m) => ({ kind: "delegate", peer: unquote(m[1] ?? m[2]), task: (m[3] ?? "").trim() }),
  ],
  [
    /^(?:ask|tell)\s+(?!me\b|us\b)([^:\n]+?)\s*:\s*([\s\S]+)$/i,
    (m) => ({ kind: "delegate", peer: unquote(m[1]), task: (m[2] ?? "").trim() }),
  ],
  [
    /^(?:tell|notify|message)\s*(?:me|us)?\s*[:,]?\s+(?:that\s+)?([\s\S]+)$|^notify\s*:\s*([\s\S]+)$/i,
    (m) => ({ kind: "notify", message: unquote(m[1] ?? m[2]) }),
  ],
  [
    /\bcount(?:\s+slowly)?(?:\s+(?:from\s+\d+\s+)?to)?\s+(\d{1,6})\b/i,
    (m) => ({ kind: "count", to: Math.min(MAX_COUNT, Number(m[1])) }),
  ],
  [
    /^(?:write|save|create|make|put)\s+(?:an?\s+|the\s+)?(?:new\s+)?(?:file\s+)?(?:called\s+|named\s+)?("[^"]+"|'[^']+'|`[^`]+`|[^\s:"'`]+)\s*(?::|\bwith(?:\s+(?:the\s+)?(?:content|text)s?)?\b\s*:?|\bcontaining\b\s*:?|\bthat says\b\s*:?)\s*([\s\S]*)$/i,
    (m) => ({ kind: "write", file: unquote(m[1]), content: unquote(m[2]) }),
  ],
  [
    /^(?:create|make|touch)\s+(?:an?\s+|the\s+)?(?:new\s+)?(?:empty\s+)?file\s+(?:called\s+|named\s+)?("[^"]+"|\S+)[.?!]?$/i,
    (m) => ({ kind: "write", file: unquote(m[1]), content: "" }),
  ],
  [
    /\b(?:list|show|which|what)\b.*\bfiles?\b(?:.*?\b(?:in|of|below|under)\s+("[^"]+"|[^\s?]+))?|^(?:ls|dir)\b\s*(\S*)/i,
    (m) => ({ kind: "list", folder: folderOf(sentenceEnd(m[1] ?? m[2])) }),
  ],
  [
    /^(?:read|show|open|cat|print)\s+(?:me\s+)?(?:the\s+)?(?:file\s+)?("[^"]+"|'[^']+'|`[^`]+`|\S+)[.?!]?\s*$/i,
    (m) => ({ kind: "read", file: unquote(m[1]).replace(/[?!]+$/, "") }),
  ],
  [/\b(?:who|what) are you\b|\byour name\b|\bintroduce yourself\b/i, () => ({ kind: "who" })],
  [/\b(?:peers?|colleagues?|team ?mates?|other agents|who else)\b/i, () => ({ kind: "peers" })],
  [/\bwhy\b.*\brestart(?:ed)?\b|\bwhat changed\b/i, () => ({ kind: "restart" })],
  [
    /\b(?:model|settings?|instructions?|configuration|provider|attempt)\b/i,
    () => ({ kind: "settings" }),
  ],
];

/** Understands a plain request; tolerant of case, politeness and punctuation. */
export function understand(message: string): DemoRequest {
  const text = message.trim().replace(POLITE, "").trim();
  for (const [pattern, make] of RULES) {
    const match = pattern.exec(text);
    if (match !== null) return make(match);
  }
  return { kind: "unknown", text: message.trim() };
}

/** "the folder", "your workspace" and the like mean the top. */
function folderOf(text: string): string {
  return /^(?:the|your|this|my|here|workspace|folder|directory|\.|\/)?$/i.test(text)
    ? ""
    : text.replace(/^(?:\.\/|\/workspace\/)/, "").replace(/\/+$/, "");
}
