import { realPart } from "@molecule/testing/require-real";
import { describe } from "vitest";
import { terminalAccessContract } from "../../terminal/terminal-access.contract.ts";
import { AGENT_UID } from "./create-options.ts";
import { isEngineRunning, openDockerTestBed } from "./test-bed.ts";

const dockerHost = process.env.DOCKER_HOST;
const hasEngine = realPart(
  "A Docker engine",
  await isEngineRunning(dockerHost),
  "install docker.io and start dockerd (or run .ci/docker-engine.sh as root)",
);

describe.runIf(hasEngine)("on a real engine", () => {
  terminalAccessContract("docker", async () => {
    const bed = await openDockerTestBed(dockerHost);
    const never = new AbortController().signal;
    await bed.backend.prepare("demo", () => undefined, never);
    const spec = bed.specOf({ env: { MODEL: "demo", A_SECRET: "s3cr3t-of-the-test" } });
    await bed.backend.create(spec, never);
    const { terminal } = bed.backend;
    if (terminal === undefined) throw new Error("invariant: it has shells");
    return {
      access: terminal,
      running: { workspaceId: spec.workspaceId, attemptNo: spec.attemptNo },
      secrets: ["s3cr3t-of-the-test", "PLATFORM_URL"],
      uid: AGENT_UID,
      close: bed.close,
    };
  });
});
