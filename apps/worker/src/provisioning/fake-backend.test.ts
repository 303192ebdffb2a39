import { computeBackendContract } from "./compute-backend.contract.ts";
import { FakeBackend } from "./fake-backend.ts";

computeBackendContract("fake", async () => {
  const backend = new FakeBackend();
  return {
    backend,
    specDefaults: { name: "Ada", runtime: "demo", tier: 3, env: {} },
    servesHttp: false,
    crash: async (instance) => backend.crash(instance),
    close: async () => undefined,
  };
});
