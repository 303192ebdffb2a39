import type { BackendAvailability } from "../../provisioning/compute-backend.ts";
import { classify, toBackendError } from "./engine-error.ts";
import type { DockerScope } from "./instance-scope.ts";

const PING_TIMEOUT_MS = 2_000;

/** Whether containers can run here, and what that means, as a person reads it. Never throws. */
export async function availabilityOf(scope: DockerScope): Promise<BackendAvailability> {
  try {
    await scope.engine.call("ping", (docker) => docker.ping(), { timeoutMs: PING_TIMEOUT_MS });
    await scope.watch.begin();
    const whyNot = await scope.images.whyNot();
    if (whyNot !== null) return { isAvailable: false, note: `Docker runs, but ${lower(whyNot)}` };
    const { isFirewalled } = await scope.place.settle();
    return {
      isAvailable: true,
      note: isFirewalled
        ? "Docker: every agent has its own container, as an unprivileged user without capabilities; of this machine it reaches the platform's port only."
        : "Docker: every agent has its own container, as an unprivileged user without capabilities. Agents can reach other ports of this machine, because only root can set a firewall rule.",
    };
  } catch (error) {
    const failure = await toBackendError(classify("ping", error), {
      doing: "answer",
      code: "internal",
    });
    return { isAvailable: false, note: failure.failure.sentence };
  }
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
