import type { ConnectionView } from "@molecule/contracts/procedures";

/** How an external agent connects, for copying; shown once. Source: wire contract §3.4. */
export function connectionOf(publicUrl: string, id: string, token: string): ConnectionView {
  const register = `${publicUrl}/registry/register`;
  const heartbeat = `${publicUrl}/registry/heartbeat`;
  return {
    workspace_id: id,
    platform_url: publicUrl,
    auth_token: token,
    registry_endpoint: register,
    heartbeat_endpoint: heartbeat,
    curl_register_template: [
      `curl -sS -X POST '${register}' \\`,
      `  -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json' \\`,
      `  -d '{"id":"${id}","url":"","delivery_mode":"poll","agent_card":{"name":"my-agent","skills":[]}}'`,
    ].join("\n"),
    python_snippet: [
      "import json, time, urllib.request",
      "",
      "def post(url, body):",
      "    request = urllib.request.Request(url, json.dumps(body).encode(), {",
      `        "Authorization": "Bearer ${token}", "Content-Type": "application/json"})`,
      "    return json.load(urllib.request.urlopen(request))",
      "",
      `post("${register}", {"id": "${id}", "url": "", "delivery_mode": "poll",`,
      '    "agent_card": {"name": "my-agent", "skills": []}})',
      "while True:",
      `    post("${heartbeat}", {"workspace_id": "${id}"})`,
      "    time.sleep(20)",
    ].join("\n"),
    universal_mcp_snippet: JSON.stringify(
      {
        mcpServers: {
          molecule: {
            command: "molecule-mcp",
            env: { PLATFORM_URL: publicUrl, WORKSPACE_ID: id, MOLECULE_WORKSPACE_TOKEN: token },
          },
        },
      },
      null,
      2,
    ),
  };
}
