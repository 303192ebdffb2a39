import { parseArgs } from "node:util";
import { reportOf } from "@molecule/testing/conformance/report";
import { runConformance } from "@molecule/testing/conformance/run";

const USAGE = `npm run conformance -- --base URL --token T [options]

Checks a server against the wire contract, over HTTP alone. Exit code 1 when a case fails.

  --base URL        the server
  --token T         its operator's token (ADMIN_TOKEN)
  --runtime NAME    a runtime the server starts itself (default claude-code)
  --agent-host IP   where the suite's own agent listens (default 127.0.0.1)
  --agent-url URL   where the server reaches that agent (default its loopback address)
  --only TEXT       cases whose row or title contains it, such as “§5.4”
  --all             lists passed cases as well
  --strict          what this platform knows to be open counts as failed
  --parallel N      cases at the same time (default 4)`;

const { values } = parseArgs({
  options: {
    base: { type: "string" },
    token: { type: "string" },
    runtime: { type: "string" },
    "agent-host": { type: "string" },
    "agent-url": { type: "string" },
    only: { type: "string" },
    parallel: { type: "string" },
    all: { type: "boolean" },
    strict: { type: "boolean" },
  },
});

if (values.base === undefined || values.token === undefined) {
  console.error(USAGE);
  process.exit(2);
}

const outcomes = await runConformance({
  base: values.base,
  token: values.token,
  isStrict: values.strict === true,
  ...(values.runtime === undefined ? {} : { runtime: values.runtime }),
  ...(values["agent-host"] === undefined ? {} : { agentHost: values["agent-host"] }),
  ...(values["agent-url"] === undefined ? {} : { agentUrl: values["agent-url"] }),
  ...(values.only === undefined ? {} : { only: values.only }),
  ...(values.parallel === undefined ? {} : { parallel: Number(values.parallel) }),
});
console.log(reportOf(outcomes, values.all === true));
process.exitCode = outcomes.some(({ result }) => result === "failed") ? 1 : 0;
