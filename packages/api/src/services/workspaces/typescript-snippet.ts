/** The same as the Python snippet, with nothing but Node's own fetch; it is an ES module. */
export function typescriptSnippet(publicUrl: string, id: string, token: string): string {
  return `const BASE = ${JSON.stringify(publicUrl)};
const ID = ${JSON.stringify(id)};
const TOKEN = ${JSON.stringify(token)};

class Refused extends Error {
  status: number;
  constructor(status: number, body: string) {
    super(body);
    this.status = status;
  }
}

async function call(method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(BASE + path, {
    method,
    headers: { authorization: "Bearer " + TOKEN, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  });
  if (!response.ok) throw new Refused(response.status, await response.text());
  return await response.json();
}

async function answer(text: string): Promise<string> {
  return "You said: " + text; // your agent goes here
}

async function handle(row: any): Promise<void> {
  const message = row.request_body?.params?.message;
  if (!message || row.response_body || message.metadata?.answer_to) return; // waits for no answer
  const said = await answer(message.parts.map((part: any) => part.text ?? "").join(" "));
  if (row.source_id === null) {
    await call("POST", \`/workspaces/\${ID}/notify\`, { message: said }); // a person
    return;
  }
  await call("POST", \`/workspaces/\${row.source_id}/a2a\`, { // another agent
    method: "message/send",
    params: {
      message: {
        role: "user",
        messageId: "answer-" + row.id,
        parts: [{ kind: "text", text: said }],
        metadata: { answer_to: message.messageId },
      },
    },
  });
}

await call("POST", "/registry/register", {
  id: ID,
  url: "",
  delivery_mode: "poll",
  agent_card: { name: "my-agent", skills: [] },
});
let since = "since_secs=600";
let lastBeat = 0;
for (;;) {
  try {
    if (Date.now() - lastBeat > 20_000) {
      await call("POST", "/registry/heartbeat", { workspace_id: ID });
      lastBeat = Date.now();
    }
    const rows = await call("GET", \`/workspaces/\${ID}/activity?type=a2a_receive&\${since}\`);
    if (since.startsWith("since_secs")) rows.reverse(); // without a cursor the newest comes first
    for (const row of rows) {
      await handle(row);
      since = "since_id=" + row.id;
    }
  } catch (error) {
    const status = error instanceof Refused ? error.status : 0;
    if (status === 410 && since.startsWith("since_id")) {
      since = "since_secs=600"; // the row of the cursor is not kept any more
    } else if (status === 401 || status === 409 || status === 410) {
      console.error("The platform refuses this agent:", error);
      process.exit(1);
    } else {
      console.error("trying again:", error);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 3_000));
}`;
}
