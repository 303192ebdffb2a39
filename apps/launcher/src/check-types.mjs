/** Type-checks the programs of the repository side by side: Node code, benches (which look into pages), canvas, launcher, journeys. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const programs = [
  "tsconfig.json",
  "apps/bench/tsconfig.json",
  "apps/canvas/tsconfig.json",
  "apps/launcher/tsconfig.json",
  "e2e/tsconfig.json",
];

const codes = await Promise.all(
  programs.map(
    (program) =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [tsc, "--noEmit", "-p", program], {
          stdio: "inherit",
        });
        child.on("exit", (code) => resolve(code ?? 1));
      }),
  ),
);
process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
