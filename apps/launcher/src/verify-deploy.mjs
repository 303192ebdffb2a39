import { pathToFileURL } from "node:url";

/**
 * What came of asking a deployment what it runs.
 * @typedef {object} Verdict
 * @property {0 | 1 | 2 | 3} code 0: it runs that commit; 1: another one (stale); 2: the call was wrong;
 *   3: it cannot be reached, or what answers is not this platform
 * @property {string} sentence
 */

const TIMEOUT_MS = 15_000;
/** Fewer characters name too many commits. */
const SHORTEST_SHA = 7;

/**
 * Asks `<url>/buildinfo` whether that deployment runs the commit `sha`.
 * @param {string | undefined} url
 * @param {string | undefined} sha whole or at least its first seven characters
 * @returns {Promise<Verdict>}
 */
export async function verifyDeploy(url, sha) {
  const wanted = (sha ?? "").toLowerCase();
  if (url === undefined || !URL.canParse(url) || !/^[0-9a-f]+$/.test(wanted)) {
    return { code: 2, sentence: "Usage: npm run verify-deploy -- URL SHA" };
  }
  if (wanted.length < SHORTEST_SHA || wanted.length > 40) {
    return {
      code: 2,
      sentence: `A commit has ${SHORTEST_SHA} to 40 characters, not ${wanted.length}.`,
    };
  }
  const running = await readSha(new URL("buildinfo", url.endsWith("/") ? url : `${url}/`));
  if ("problem" in running) {
    return { code: 3, sentence: `Unreachable: ${url} ${running.problem}` };
  }
  if (isSame(running.sha, wanted)) {
    return { code: 0, sentence: `Current: ${url} runs ${running.sha}.` };
  }
  const why =
    running.sha === "dev" ? "a build that was not told its GIT_SHA" : `the commit ${running.sha}`;
  return { code: 1, sentence: `Stale: ${url} runs ${why}, not ${wanted}.` };
}

/**
 * @param {URL} address
 * @returns {Promise<{ sha: string } | { problem: string }>}
 */
async function readSha(address) {
  try {
    const response = await fetch(address, {
      redirect: "manual",
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status !== 200) return { problem: `answered ${response.status}.` };
    /** @type {unknown} */
    const body = await response.json().catch(() => null);
    const sha = typeof body === "object" && body !== null && "git_sha" in body ? body.git_sha : "";
    return typeof sha === "string" && sha !== ""
      ? { sha: sha.toLowerCase() }
      : { problem: "answered with something else than a build's commit." };
  } catch (error) {
    return { problem: `does not answer (${reasonOf(error)}).` };
  }
}

/** @param {unknown} error */
function reasonOf(error) {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return code === "" ? error.message : code;
}

/**
 * One may be a short form of the other.
 * @param {string} running
 * @param {string} wanted
 */
function isSame(running, wanted) {
  if (running.length < SHORTEST_SHA) return false;
  return running.startsWith(wanted) || wanted.startsWith(running);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [url, sha] = process.argv.slice(2);
  const { code, sentence } = await verifyDeploy(url, sha);
  console.log(sentence);
  process.exitCode = code;
}
