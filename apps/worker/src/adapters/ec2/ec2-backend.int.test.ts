import { canMakeContainers, containerMachines } from "@molecule/testing/cloud/container-machines";
import { realPart } from "@molecule/testing/require-real";
import { waitUntil } from "@molecule/testing/wait-until";
import { describe } from "vitest";
import { computeBackendContract } from "../../provisioning/compute-backend.contract.ts";
import { openEc2TestBed } from "./test-bed.fixture.ts";

const hasContainers = realPart(
  "A Docker engine or sshd",
  await canMakeContainers(),
  "install docker.io and openssh-server",
);

describe.runIf(hasContainers)("on a fake cloud before real machines", () => {
  computeBackendContract("ec2", async () => {
    const machines = await containerMachines();
    const bed = await openEc2TestBed(machines);
    return {
      backend: bed.backend,
      specDefaults: { name: "Ada", runtime: "demo", tier: 2, env: { MODEL: "demo" } },
      address: /^\d+\.\d+\.\d+\.\d+:8000$/,
      servesHttp: true,
      crash: async (instance) => {
        await machines.powerOff(instance.providerId);
        await waitUntil("the machine has ended", async () => {
          const seen = await bed.backend.inspect(instance);
          return seen?.state === "exited";
        });
      },
      close: async () => await bed[Symbol.asyncDispose](),
    };
  });
});
