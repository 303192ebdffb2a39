import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { request } from "node:http";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { startProduct } from "@molecule/testing/product";
import { residentMb } from "../baselines.ts";
import { Platform } from "../platform.ts";
import type { Row } from "../table.ts";
import { serverPid } from "./server-process.ts";

const UPLOADS = Number(process.env.BENCH_UPLOADS ?? 50);
/** Two files in one form, each just below the limit of a single file. */
const FILES = 2;
const FILE_BYTES = 24 * 1_048_576;
const BLOCK_BYTES = 65_536;
const SAMPLE_MS = 100;

/**
 * Fifty uploads of about 50 MB at once to one agent: how far the server's memory rises above what one
 * upload after the other takes, and whether every byte arrived.
 */
export async function uploadRows(): Promise<Row[]> {
  await using product = await startProduct({
    env: { MOLECULE_BACKEND: "process", RATE_LIMIT: "0" },
  });
  const platform = new Platform(product.url, product.adminToken);
  const id = await platform.create("Files");
  await platform.untilOnline(id);
  const pid = await serverPid(product.process.pid ?? 0);
  const folder = path.join(product.home, "workspaces", id, "workspace");
  const to = { url: product.url, token: product.adminToken, id, folder };
  const before = await residentMb(pid);
  // The first one loads code and opens connections.
  await upload(to, 0);
  const oneByOne = await peakRise(pid, async () => {
    for (let number = 1; number <= 3; number += 1) await upload(to, number);
  });
  const atOnce = await peakRise(pid, async () => {
    await Promise.all(Array.from({ length: UPLOADS }, (_, number) => upload(to, 100 + number)));
  });
  console.log(`server: ${Math.round(before)} MB before the first upload`);
  return [
    {
      row: `${UPLOADS} uploads of ${(FILES * FILE_BYTES) / 1_048_576} MB at once: rise of the server's memory, all bytes equal`,
      ours: [atOnce],
      baseline: [oneByOne],
      baselineName: "one after the other",
      unit: "MB",
      bar: 30,
    },
  ];
}

/** Highest resident memory during the work, above what it was before. */
async function peakRise(pid: number, work: () => Promise<void>): Promise<number> {
  const before = await residentMb(pid);
  let peak = before;
  const timer = setInterval(() => {
    void residentMb(pid).then((now) => {
      peak = Math.max(peak, now);
    });
  }, SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak - before;
}

interface Target {
  readonly url: string;
  readonly token: string;
  readonly id: string;
  /** Of the agent, on this machine. */
  readonly folder: string;
}

/** @throws Error when the answer is not 200 or a stored file differs from what was sent. */
async function upload(to: Target, number: number): Promise<void> {
  const boundary = `bench-${number}`;
  const digests: string[] = [];
  const form = Readable.from(formOf(boundary, number, digests), { objectMode: false });
  const answer = await new Promise<string>((resolve, reject) => {
    const sent = request(
      `${to.url}/workspaces/${to.id}/chat/uploads`,
      {
        method: "POST",
        agent: false,
        headers: {
          authorization: `Bearer ${to.token}`,
          "content-type": `multipart/form-data; boundary=${boundary}`,
        },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.once("end", () => {
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`upload ${number}: ${response.statusCode} ${text}`));
        });
      },
    );
    sent.once("error", reject);
    pipeline(form, sent).catch(reject);
  });
  const { files } = JSON.parse(answer) as { files: { uri: string }[] };
  for (const [at, { uri }] of files.entries()) {
    const file = path.join(to.folder, uri.replace(/^workspace:\/workspace\//, ""));
    if ((await digestOf(file)) !== digests[at]) throw new Error(`${file} is not what was sent`);
  }
  if (files.length !== FILES) throw new Error(`${files.length} files were stored`);
}

function* formOf(boundary: string, number: number, digests: string[]): Generator<Buffer> {
  for (let file = 0; file < FILES; file += 1) {
    yield Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="files"; filename="u${number}-${file}.bin"\r\ncontent-type: application/octet-stream\r\n\r\n`,
    );
    const hash = createHash("sha256");
    for (let at = 0; at < FILE_BYTES; at += BLOCK_BYTES) {
      // Each block is another, so that a lost or swapped one is seen.
      const block = Buffer.alloc(BLOCK_BYTES, `${number}/${file}/${at};`);
      hash.update(block);
      yield block;
    }
    digests.push(hash.digest("hex"));
    yield Buffer.from("\r\n");
  }
  yield Buffer.from(`--${boundary}--\r\n`);
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
