import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Inbox } from "./inbox.ts";
import { type ActivityRow, type PlatformClient, PlatformRefusal } from "./platform-client.ts";

const ME = "me";

/** The activity of one workspace, filtered as contract §8.3 says. */
class ActivityList {
  rows: ActivityRow[] = [];
  calls = 0;

  add(id: string, more: Partial<ActivityRow> = {}): void {
    this.rows.push({
      id,
      activity_type: "a2a_receive",
      status: "ok",
      source_id: null,
      created_at: new Date().toISOString(),
      request_body: { params: { message: { parts: [{ kind: "text", text: `text ${id}` }] } } },
      ...more,
    });
  }

  readonly client = {
    workspaceId: ME,
    activity: async (query: Readonly<Record<string, string>>) => {
      this.calls += 1;
      const limit = Number(query.limit);
      if (query.since_id !== undefined) {
        const at = this.rows.findIndex((row) => row.id === query.since_id);
        if (at === -1) throw new PlatformRefusal(410, "That row is not kept any more.");
        return this.rows.slice(at + 1, at + 1 + limit);
      }
      const from = Date.now() - Number(query.since_secs) * 1000;
      const to =
        query.before_ts === undefined ? Number.POSITIVE_INFINITY : Date.parse(query.before_ts);
      const found = this.rows.filter((row) => {
        const at = Date.parse(row.created_at ?? "");
        return at > from && at < to;
      });
      return found.reverse().slice(0, limit);
    },
  } as unknown as PlatformClient;
}

describe("the inbox of an agent that polls", () => {
  let folder: string;
  let list: ActivityList;
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-01-31T12:00:00Z") });
    folder = await mkdtemp(path.join(tmpdir(), "molecule-inbox-"));
    list = new ActivityList();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await rm(folder, { recursive: true, force: true });
  });

  const open = () => new Inbox({ client: list.client, folder });
  const idsOf = async (inbox: Inbox) => (await inbox.waiting()).map(({ id }) => id);
  const later = (minutes: number) => vi.setSystemTime(Date.now() + minutes * 60_000);
  const cursor = () => readFile(path.join(folder, ".mcp_inbox_cursor"), "utf8");

  it("begins ten minutes back, and what it has seen stays however long it is left", async () => {
    list.add("ancient");
    later(11);
    list.add("recent");
    expect(await idsOf(open())).toEqual(["recent"]);
    later(600);
    expect(await idsOf(open())).toEqual(["recent"]);
  });

  it("gives every message in order when more wait than one answer holds, also at equal times", async () => {
    const wanted = Array.from({ length: 1_203 }, (_, n) => `m${n}`);
    for (const [n, id] of wanted.entries()) {
      if (n % 7 === 0) vi.setSystemTime(Date.now() + 1);
      list.add(id);
    }
    const inbox = open();
    expect(await idsOf(inbox)).toEqual(wanted);
    await inbox.done("m0");
    expect(await cursor()).toBe("m0\n");
    expect(await idsOf(open())).toEqual(wanted.slice(1));
    expect(list.calls).toBeLessThan(12);
  });

  it("remembers what is done out of order, and moves on over rows that are no messages", async () => {
    for (const id of ["a", "b", "c"]) list.add(id);
    list.add("notify", { request_body: null, response_body: { result: "said by us" } });
    list.add("own", { source_id: ME });
    list.add("answered", { response_body: { result: {} } });
    const inbox = open();
    expect(await inbox.done("b")).toBe(true);
    expect(await inbox.done("b")).toBe(false);
    expect(await idsOf(open())).toEqual(["a", "c"]);
    await inbox.done("a");
    await inbox.done("c");
    expect(await idsOf(inbox)).toEqual([]);
    expect(await cursor()).toBe("answered\n");
  });

  it("begins again when the row of its cursor is not kept any more", async () => {
    list.add("old");
    const inbox = open();
    await inbox.done("old");
    later(60);
    list.rows = [];
    list.add("new");
    expect(await idsOf(inbox)).toEqual(["new"]);
    expect(await idsOf(open())).toEqual(["new"]);
  });

  it("shows sender, files and the task of a message", async () => {
    const message = {
      messageId: "m",
      metadata: { delegation_id: "d" },
      parts: [
        { type: "text", text: "look" },
        { kind: "file", file: { uri: "workspace:/x/a.png", name: "a.png", mimeType: "image/png" } },
      ],
    };
    list.add("row", { source_id: "peer", request_body: { params: { message } } });
    expect(await open().waiting()).toMatchObject([
      {
        id: "row",
        senderId: "peer",
        text: "look",
        taskId: "d",
        files: [{ name: "a.png", uri: "workspace:/x/a.png", mimeType: "image/png" }],
      },
    ]);
  });

  it("passes on that its workspace is gone", async () => {
    list.add("x");
    const inbox = open();
    await inbox.done("x");
    const gone = async () => {
      throw new PlatformRefusal(410, "This workspace has been removed.");
    };
    Object.assign(list.client, { activity: gone });
    await expect(inbox.waiting()).rejects.toMatchObject({ status: 410 });
  });
});
