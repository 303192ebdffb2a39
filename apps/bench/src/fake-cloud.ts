/**
 * `npm run fake-cloud -- [--port 4566] [--platform-port 8080]`: an EC2 on loopback to try the platform with.
 * Prints the environment to start the platform with, then obeys lines: type `help`.
 */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { canMakeContainers, containerMachines } from "@molecule/testing/cloud/container-machines";
import { EC2_ACTIONS } from "@molecule/testing/cloud/ec2-control";
import { type FakeCloud, startFakeCloud } from "@molecule/testing/cloud/fake-cloud";
import { noMachines } from "@molecule/testing/cloud/machine-host";

const HELP = `list                      instances and disks
counts                    calls so far
fault ACTION CODE [N]     the next N calls fail (ACTION: RunInstances, …, or *; CODE: RequestLimitExceeded, InsufficientInstanceCapacity, …)
latency MS                every answer of the EC2 API takes so long
pending MS                an instance is "pending" for so long
hidden N                  a new instance is not found by N reads
distance MS               round trip to the Instance Connect endpoint
cap N                     connections that the endpoint allows
cut                       every connection through the endpoint breaks
clear                     nothing is wrong any more
quit                      everything that was made is removed`;

const NUMBERS: Readonly<
  Record<string, (of: Pick<FakeCloud, "ec2" | "connect">, to: number) => void>
> = {
  latency: ({ ec2 }, to) => {
    ec2.control.apiDelayMs = to;
  },
  pending: ({ ec2 }, to) => {
    ec2.control.pendingMs = to;
  },
  hidden: ({ ec2 }, to) => {
    ec2.control.hiddenReads = to;
  },
  distance: ({ connect }, to) => {
    connect.control.roundTripMs = to;
  },
  cap: ({ connect }, to) => {
    connect.control.maxConnections = to;
  },
};

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "4566" },
    "platform-port": { type: "string", default: "8080" },
  },
});
const machines = (await canMakeContainers()) ? await containerMachines() : null;
const isReal = machines !== null;
const cloud = await startFakeCloud(machines ?? noMachines(), {
  port: Number(values.port),
});
const certificate = path.join(tmpdir(), `fake-cloud-${process.pid}.pem`);
writeFileSync(certificate, cloud.connect.endpoint.certificate, { mode: 0o600 });
const host = machines === null ? "127.0.0.1" : await machines.gateway();
const environment = {
  ...cloud.env,
  MOLECULE_EC2_PLATFORM_URL: `http://${host}:${values["platform-port"]}`,
  // Machines reach the platform at the engine's gateway and nowhere else.
  HOST: host,
  NODE_EXTRA_CA_CERTS: certificate,
};
console.log(
  `FAKE cloud at ${cloud.ec2.url}: ${isReal ? "each instance is a container with a real sshd and Node" : "no Docker engine or no sshd here, so instances exist in answers only"}.`,
);
console.log("Start the platform with:\n");
for (const [name, value] of Object.entries(environment)) console.log(`export ${name}=${value}`);
console.log('\nThen create an agent on "EC2 instance". Type help for faults to switch on.');

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const [word = "", ...rest] = line.trim().split(/\s+/);
  if (word === "quit") lines.close();
  else console.log(obey(cloud, word, rest));
});
process.once("SIGINT", () => lines.close());
process.once("SIGTERM", () => lines.close());
await new Promise<void>((resolve) => lines.once("close", resolve));
console.log("Removing what was made …");
await cloud[Symbol.asyncDispose]();
process.exit(0);

function obey({ ec2, connect }: FakeCloud, word: string, rest: readonly string[]): string {
  const [first = "", second = "", third = "1"] = rest;
  const number = Number(first);
  const { control } = ec2;
  switch (word) {
    case "list":
      return [
        ...ec2
          .instances()
          .map((one) => `${one.id} ${one.state} ${one.instanceType} ${one.privateIp}`),
        ...ec2.volumes().map((one) => `${one.id} on ${one.attachment?.instanceId ?? "nothing"}`),
      ].join("\n");
    case "counts":
      return JSON.stringify({ ...ec2.counts, made: ec2.made(), ...connect.counts });
    case "fault": {
      const action = first === "*" ? "*" : EC2_ACTIONS.find((one) => one === first);
      if (action === undefined || second === "")
        return `no such action; one of ${EC2_ACTIONS.join(", ")} or *`;
      control.faults.push({ action, code: second, times: Number(third) });
      return `${first} fails ${third} times`;
    }
    case "clear":
      control.faults.length = 0;
      Object.assign(control, { apiDelayMs: 0, pendingMs: 0, hiddenReads: 0 });
      Object.assign(connect.control, { roundTripMs: 0, maxConnections: 20 });
      return "nothing is wrong any more";
    case "cut":
      connect.endpoint.cutAll();
      return "cut";
    case "help":
    case "":
      return HELP;
  }
  const set = NUMBERS[word];
  if (set === undefined || !(number >= 0)) return `what is "${word}"? Type help.`;
  set({ ec2, connect }, number);
  return `${word} is ${number}`;
}
