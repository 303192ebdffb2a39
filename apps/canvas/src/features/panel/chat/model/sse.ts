/**
 * The `data` of each server-sent event of a response body, in order. Several `data:` lines of one
 * event are joined by a newline; comments, ids and event names are dropped. Ends when the body
 * ends; a last event without its blank line still counts. Source: WHATWG HTML, server-sent events.
 */
export async function* readSseData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? `${decoder.decode()}\n\n` : decoder.decode(value, { stream: true });
      const lines = splitLines(rest, done);
      rest = lines.pop() ?? "";
      const taken = takeEvents(data, lines);
      data = taken.open;
      yield* taken.events;
      if (done) return;
    }
  } finally {
    reader.releaseLock();
  }
}

/** The last entry is incomplete. A lone CR at the end may be half of CRLF, so it stays in there. */
function splitLines(text: string, isLast: boolean): string[] {
  return text.split(isLast ? /\r\n|\n|\r/ : /\r\n|\n|\r(?!$)/);
}

function takeEvents(
  open: string[],
  lines: readonly string[],
): { events: string[]; open: string[] } {
  const events: string[] = [];
  let data = open;
  for (const line of lines) {
    if (line.startsWith("data:")) {
      data = [...data, line.slice(line[5] === " " ? 6 : 5)];
    } else if (line === "" && data.length > 0) {
      events.push(data.join("\n"));
      data = [];
    }
  }
  return { events, open: data };
}
