import { writeFile } from "node:fs/promises";
import { startConnectGround } from "@molecule/testing/cloud/connect-ground";
import { startEc2Api } from "@molecule/testing/cloud/ec2-api";
import { noMachines } from "@molecule/testing/cloud/machine-host";
import { hasSshd } from "@molecule/testing/cloud/sshd";
import { createTestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";
import { LOG } from "./light-bed.fixture.ts";
import { startMachineTunnels } from "./machine-tunnels.ts";
import { readTunnelEnv } from "./tunnel-settings.ts";

it("TU11 the environment says how machines are reached", async () => {
  const read = readTunnelEnv({ EIC_TUNNEL_POOL_TTL: "soon", MOLECULE_EC2_SSH: "private" });
  expect(read).toMatchObject({ way: "private", certificate: undefined });
  expect(read.ignored).toEqual([{ variable: "EIC_TUNNEL_POOL_TTL", text: "soon" }]);
  expect(() => readTunnelEnv({ MOLECULE_EC2_SSH: "tunnel" })).toThrow("MOLECULE_EC2_SSH");
});

it.skipIf(!hasSshd())(
  "a worker reaches a machine that only AWS knows, and keeps its key",
  async () => {
    await using ground = await startConnectGround();
    await using test = await createTestDatabase();
    const { endpoint, endpointId, credentials, sshd } = ground;
    await using ec2 = await startEc2Api({
      machines: noMachines(),
      region: "us-east-2",
      endpoints: () => [{ id: endpointId, dnsName: endpoint.dnsName }],
    });
    const { EC2Client, RunInstancesCommand } = await import("@aws-sdk/client-ec2");
    const client = new EC2Client({ region: "us-east-2", endpoint: ec2.url, credentials });
    const made = await client.send(
      new RunInstancesCommand({
        ImageId: "ami-1",
        InstanceType: "t3.small",
        MinCount: 1,
        MaxCount: 1,
        MetadataOptions: { HttpTokens: "required" },
      }),
    );
    client.destroy();
    const id = made.Instances?.[0]?.InstanceId ?? "";
    const file = `${sshd.home}/../endpoint.pem`;
    await writeFile(file, endpoint.certificate);
    const tunnels = startMachineTunnels({
      db: test.db,
      holder: "worker",
      aws: { region: "us-east-2", credentials, ec2Url: ec2.url, connectUrl: ground.apiUrl },
      osUser: sshd.user,
      tunnels: readTunnelEnv({ EIC_ENDPOINT_CA_FILE: file }),
      log: LOG,
    });
    const command = { command: "id -un", stdin: new Uint8Array(), timeoutMs: 20_000 };
    await waitUntil("the machine has its address", async () => {
      const ran = await tunnels.shell.run({ id }, command).catch(() => null);
      return ran !== null && String(ran.stdout) === `${sshd.user}\n`;
    });
    await tunnels.shell.run({ id }, command);
    expect(ec2.counts.DescribeInstanceConnectEndpoints).toBe(1);
    expect(ground.counts.opened).toBe(1);
    const { sha256 } = sshd.hostKey;
    const pins = await test.sql`SELECT machine, sha256, source FROM host_keys`;
    expect([...pins]).toEqual([{ machine: `aws/us-east-2/${id}`, sha256, source: "first_use" }]);
    expect(await test.sql`SELECT FROM tunnel_places`).toHaveLength(1);
    await tunnels.stop();
    expect(await test.sql`SELECT FROM tunnel_places`).toHaveLength(0);
    const [counted] = await test.sql`SELECT n FROM tallies WHERE label = 'handshakes'`;
    expect(Number(counted?.n)).toBe(1);
  },
);
