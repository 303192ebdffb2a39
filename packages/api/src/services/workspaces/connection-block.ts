import type { ConnectionView } from "@molecule/contracts/procedures";
import { pythonSnippet } from "./python-snippet.ts";
import { typescriptSnippet } from "./typescript-snippet.ts";

/** Stands in the snippets for a token that nobody can show any more. */
export const TOKEN_PLACEHOLDER = "YOUR_TOKEN";

/**
 * How an external agent connects, for copying; shown once. A null token leaves a placeholder in the
 * snippets. Source: wire contract §3.4. SPEC: E5.
 */
export function connectionOf(publicUrl: string, id: string, token: string | null): ConnectionView {
  const bearer = token ?? TOKEN_PLACEHOLDER;
  return {
    workspace_id: id,
    platform_url: publicUrl,
    auth_token: token ?? "",
    registry_endpoint: `${publicUrl}/registry/register`,
    heartbeat_endpoint: `${publicUrl}/registry/heartbeat`,
    curl_register_template: [
      `curl -sS -X POST '${publicUrl}/registry/register' \\`,
      `  -H 'Authorization: Bearer ${bearer}' -H 'Content-Type: application/json' \\`,
      `  -d '{"id":"${id}","url":"","delivery_mode":"poll","agent_card":{"name":"my-agent","skills":[]}}'`,
    ].join("\n"),
    curl_snippet: curlSnippet(publicUrl, id, bearer),
    python_snippet: pythonSnippet(publicUrl, id, bearer),
    typescript_snippet: typescriptSnippet(publicUrl, id, bearer),
    universal_mcp_snippet: JSON.stringify(
      {
        mcpServers: {
          molecule: {
            command: "molecule-mcp",
            env: { PLATFORM_URL: publicUrl, WORKSPACE_ID: id, MOLECULE_WORKSPACE_TOKEN: bearer },
          },
        },
      },
      null,
      2,
    ),
  };
}

/** One command for each step of the checklist, and one that reads what was written to the agent. */
function curlSnippet(publicUrl: string, id: string, bearer: string): string {
  return `BASE='${publicUrl}' ID='${id}' TOKEN='${bearer}'
call() { curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' "$@"; echo; }

# 1. once, when the agent starts
call "$BASE/registry/register" -d '{"id":"'$ID'","url":"","delivery_mode":"poll","agent_card":{"name":"my-agent","skills":[]}}'

# 2. every 20 to 30 seconds while it runs
call "$BASE/registry/heartbeat" -d '{"workspace_id":"'$ID'"}'

# 3. what was written to it in the last ten minutes
call "$BASE/workspaces/$ID/activity?type=a2a_receive&since_secs=600"

# 4. an answer in the chat
call "$BASE/workspaces/$ID/notify" -d '{"message":"Hello from curl"}'`;
}
