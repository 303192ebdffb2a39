/** Registers, beats, takes messages and answers them, with nothing but the standard library. */
export function pythonSnippet(publicUrl: string, id: string, token: string): string {
  return `import json, time, urllib.error, urllib.request

BASE = ${JSON.stringify(publicUrl)}
ID = ${JSON.stringify(id)}
TOKEN = ${JSON.stringify(token)}


def call(method, path, body=None):
    request = urllib.request.Request(
        BASE + path,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"},
        method=method)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def answer(text):  # your agent goes here
    return "You said: " + text


def handle(row):
    message = ((row.get("request_body") or {}).get("params") or {}).get("message")
    if not message or row.get("response_body") or "answer_to" in (message.get("metadata") or {}):
        return  # no message that waits for an answer
    said = answer(" ".join(part.get("text", "") for part in message["parts"]))
    if row["source_id"] is None:  # a person
        call("POST", "/workspaces/" + ID + "/notify", {"message": said})
    else:  # another agent
        call("POST", "/workspaces/" + row["source_id"] + "/a2a", {
            "method": "message/send", "params": {"message": {
                "role": "user", "messageId": "answer-" + row["id"],
                "parts": [{"kind": "text", "text": said}],
                "metadata": {"answer_to": message["messageId"]}}}})


call("POST", "/registry/register", {"id": ID, "url": "", "delivery_mode": "poll",
    "agent_card": {"name": "my-agent", "skills": []}})
since, last_beat = "since_secs=600", None
while True:
    try:
        if last_beat is None or time.monotonic() - last_beat > 20:
            call("POST", "/registry/heartbeat", {"workspace_id": ID})
            last_beat = time.monotonic()
        rows = call("GET", "/workspaces/" + ID + "/activity?type=a2a_receive&" + since)
        if since.startswith("since_secs"):
            rows.reverse()  # without a cursor the newest comes first
        for row in rows:
            handle(row)
            since = "since_id=" + row["id"]
    except urllib.error.HTTPError as error:
        if error.code == 410 and since.startswith("since_id"):
            since = "since_secs=600"  # the row of the cursor is not kept any more
        elif error.code in (401, 409, 410):
            raise SystemExit("The platform refuses this agent: " + error.read().decode())
        else:
            print("trying again:", error)
    except OSError as error:
        print("trying again:", error)
    time.sleep(3)`;
}
