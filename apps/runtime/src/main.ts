import process from "node:process";

/**
 * The reference runtime. `runtime.mjs` serves one workspace; `runtime.mjs fs` answers one file
 * operation and ends. Both are loaded on demand, so that the second stays quick.
 */
async function main(): Promise<void> {
  if (process.argv[2] === "fs") {
    const { runFsCommand } = await import("./fs-command.ts");
    await runFsCommand(process.stdin, (line) => process.stdout.write(line));
    return;
  }
  const { serve } = await import("./serve.ts");
  await serve();
}

await main();
