/** A person is told something at least this often. */
const PLAIN_TICK_MS = 4000;
const TTY_TICK_MS = 200;
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/**
 * A running step.
 * @typedef {object} Step
 * @property {(detail: string) => void} note says what the step does at the moment
 */

/**
 * What the terminal shows. One step runs at a time.
 * @typedef {object} Progress
 * @property {<T>(title: string, work: (step: Step) => Promise<T>, done?: (result: T) => string | undefined) => Promise<T>} step
 *   runs `work` and shows its elapsed time; `done` gives the words of its last line
 * @property {(line?: string) => void} say prints a line
 */

/**
 * Shows progress on a stream: one moving line in a terminal, plain lines every four seconds elsewhere.
 * @param {{ write: (text: string) => unknown, isTTY?: boolean | undefined, columns?: number | undefined }} out
 * @returns {Progress}
 */
export function createProgress(out) {
  const isTty = out.isTTY === true;
  const paint = (/** @type {string} */ code, /** @type {string} */ text) =>
    isTty ? `\u001b[${code}m${text}\u001b[0m` : text;
  const clear = () => {
    if (isTty) out.write("\r\u001b[2K");
  };
  /** @type {(() => void) | undefined} */
  let redraw;
  const say = (line = "") => {
    clear();
    out.write(`${line}\n`);
    redraw?.();
  };
  return {
    say,
    async step(title, work, done) {
      const begin = performance.now();
      const elapsed = () => `${((performance.now() - begin) / 1000).toFixed(1)} s`;
      let detail = "";
      let frame = 0;
      const draw = () => {
        frame += 1;
        const words = detail === "" ? title : `${title}: ${detail}`;
        const line = `${words} (${elapsed()})`.slice(0, (out.columns || 100) - 3);
        out.write(`\r\u001b[2K${paint("36", SPINNER[frame % SPINNER.length] ?? "")} ${line}`);
      };
      const tick = () =>
        isTty ? draw() : out.write(`  ${title}${detail && `: ${detail}`}, ${elapsed()}\n`);
      const timer = setInterval(tick, isTty ? TTY_TICK_MS : PLAIN_TICK_MS);
      if (isTty) {
        redraw = draw;
        draw();
      }
      const end = () => {
        clearInterval(timer);
        redraw = undefined;
        clear();
      };
      try {
        const result = await work({
          note: (text) => {
            detail = text;
          },
        });
        end();
        const words = done?.(result);
        out.write(
          `${paint("32", "✓")} ${title.padEnd(20)} ${words ? `${words}, ` : ""}${elapsed()}\n`,
        );
        return result;
      } catch (error) {
        end();
        out.write(`${paint("31", "✗")} ${title.padEnd(20)} ${elapsed()}\n`);
        throw error;
      }
    },
  };
}
