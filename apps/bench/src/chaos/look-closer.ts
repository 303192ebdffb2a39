import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What the engine says of the containers of a workspace that does not come to rest; for the log of a run. */
export async function lookCloser(workspaceId: string): Promise<string> {
  const label = `label=molecule.workspace=${workspaceId}`;
  const ids = (await docker("ps", "--all", "--quiet", "--filter", label)).split("\n");
  const parts = await Promise.all(
    ids
      .filter((id) => id !== "")
      .map(async (id) => {
        const about =
          "{{.Name}} {{json .State}} {{json .HostConfig.ExtraHosts}} {{json .NetworkSettings.Networks}}";
        const state = await docker("inspect", "--format", about, id);
        const said = await docker("logs", "--tail", "12", id);
        return `${state}\n${said}`;
      }),
  );
  return parts.length === 0 ? "no container" : parts.join("\n");
}

async function docker(...args: readonly string[]): Promise<string> {
  return await run("docker", args, { timeout: 20_000 }).then(
    ({ stdout, stderr }) => `${stdout}${stderr}`.trim(),
    (error: unknown) => String(error),
  );
}
