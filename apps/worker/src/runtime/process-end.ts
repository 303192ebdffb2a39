/**
 * Resolves when this process was told to end: SIGTERM, SIGINT, or, with `withStdin`, the end of stdin,
 * which also says that whoever started it is gone. A second signal ends the process at once.
 */
export function untilTold(withStdin: boolean): Promise<string> {
  return new Promise((resolve) => {
    let isTold = false;
    const tell = (why: string) => {
      if (isTold && why !== "stdin") process.exit(1);
      isTold = true;
      resolve(why);
    };
    process.on("SIGTERM", () => tell("SIGTERM"));
    process.on("SIGINT", () => tell("SIGINT"));
    if (!withStdin) return;
    process.stdin.on("end", () => tell("stdin"));
    process.stdin.on("error", () => tell("stdin"));
    process.stdin.resume();
  });
}
