import { expect, test } from "vitest";
import { readSseData } from "./sse.ts";

async function read(chunks: readonly (string | Uint8Array)[]): Promise<string[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) {
        controller.enqueue(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk);
      }
      controller.close();
    },
  });
  const out: string[] = [];
  for await (const data of readSseData(body)) out.push(data);
  return out;
}

test("an event is yielded however its bytes are cut, CRLF included", async () => {
  const text = 'id: 1\r\ndata: {"a":1}\r\n\r\n: ping\n\ndata:two\n\n';
  const bytes = new TextEncoder().encode(text);
  for (let cut = 1; cut < bytes.length; cut++) {
    expect(await read([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(['{"a":1}', "two"]);
  }
});

test("several data lines of one event are one text", async () => {
  expect(await read(["data: a\ndata: b\n\n"])).toEqual(["a\nb"]);
});

test("a character that is split between two chunks stays whole", async () => {
  const bytes = new TextEncoder().encode("data: né\n\n");
  expect(await read([bytes.slice(0, 8), bytes.slice(8)])).toEqual(["né"]);
});

test("a last event without its blank line still counts", async () => {
  expect(await read(["data: end"])).toEqual(["end"]);
});
