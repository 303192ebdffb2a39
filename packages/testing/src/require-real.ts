/**
 * Whether the part of a test that needs a real counterpart can run. When it cannot: one line that says
 * what to install, and a failure instead of a skip under `REQUIRE_REAL=1`.
 */
export function realPart(name: string, isPresent: boolean, whatToInstall: string): boolean {
  if (isPresent) return true;
  const line = `${name} is not on this machine, so its tests do not run here: ${whatToInstall}`;
  if (process.env.REQUIRE_REAL === "1") throw new Error(`REQUIRE_REAL=1, but ${line}`);
  process.stderr.write(`SKIPPED: ${line}\n`);
  return false;
}
