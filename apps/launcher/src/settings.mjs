import { createServer } from "node:net";
import { codeOf, Refusal } from "./refusal.mjs";

/**
 * What the environment asks for.
 * @typedef {object} Settings
 * @property {number} port of the public server; 0 = any free one
 * @property {string} host address the public server listens on
 * @property {string | undefined} publicUrl origin people use, when a proxy stands in front
 * @property {string | undefined} databaseUrl absent: the embedded Postgres
 * @property {string | undefined} adminToken absent: the one in the data folder
 * @property {string | undefined} home MOLECULE_HOME as given
 * @property {string} backend "auto", "process", "docker" or "control-plane"
 * @property {string | undefined} runtimeBundle absent: the reference runtime of this checkout
 * @property {number} timeScale multiplies every wait that people would otherwise sit through; 1 outside tests
 * @property {boolean} hasSecretsKey the key of the secrets comes from the environment
 */

const BACKENDS = ["auto", "process", "docker", "control-plane"];

/**
 * Reads the settings; an empty variable counts as absent.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Settings}
 * @throws {Refusal} naming the variable that cannot be used
 */
export function readSettings(env) {
  const port = env.PORT || "8080";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new Refusal(`PORT=${port} is not a port.`, "Set it to a number from 1 to 65535.");
  }
  const backend = env.MOLECULE_BACKEND || "auto";
  if (!BACKENDS.includes(backend)) {
    throw new Refusal(
      `MOLECULE_BACKEND=${backend} is not a backend.`,
      `Set it to one of: ${BACKENDS.join(", ")}.`,
    );
  }
  if (env.PUBLIC_URL && !/^https?:\/\/[^/]+\/*$/.test(env.PUBLIC_URL)) {
    throw new Refusal(
      `PUBLIC_URL=${env.PUBLIC_URL} is not an origin.`,
      "It looks like https://molecule.example.org, without a path.",
    );
  }
  return {
    port: Number(port),
    host: env.HOST || "127.0.0.1",
    publicUrl: env.PUBLIC_URL?.replace(/\/+$/, "") || undefined,
    databaseUrl: env.DATABASE_URL || undefined,
    adminToken: env.ADMIN_TOKEN || undefined,
    home: env.MOLECULE_HOME || undefined,
    backend,
    runtimeBundle: env.RUNTIME_BUNDLE || undefined,
    timeScale: Number(env.MOLECULE_SETTLE_SCALE) || 1,
    hasSecretsKey: Boolean(env.SECRETS_ENCRYPTION_KEY),
  };
}

/**
 * The origin that a browser on this machine uses.
 * @param {Settings} settings
 * @param {number} port
 * @returns {string}
 */
export function originOf({ publicUrl, host }, port) {
  if (publicUrl !== undefined) return publicUrl;
  const isAny = host === "0.0.0.0" || host === "::" || host === "localhost";
  const name = isAny ? "127.0.0.1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/**
 * The port that the public server can listen on: the given one, or a free one for 0.
 * @param {string} host
 * @param {number} port
 * @returns {Promise<number>}
 * @throws {Refusal} when it is taken or not allowed
 */
export function claimPort(host, port) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => reject(refusalForPort(error, host, port)));
    probe.listen({ host, port, exclusive: true }, () => {
      const address = probe.address();
      const found = typeof address === "object" && address !== null ? address.port : port;
      probe.close(() => resolve(found));
    });
  });
}

/**
 * @param {Error} error
 * @param {string} host
 * @param {number} port
 */
function refusalForPort(error, host, port) {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return new Refusal(
        `Port ${port} on ${host} is taken by another program.`,
        `Stop that program, or choose another port: PORT=${port < 65_535 ? port + 1 : 8080} npm start`,
        error,
      );
    case "EACCES":
      return new Refusal(
        `This user may not listen on port ${port}.`,
        "Choose a port above 1023: PORT=8080 npm start",
        error,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new Refusal(
        `HOST=${host} is not an address of this machine.`,
        "Unset HOST, or set it to 0.0.0.0 for every address.",
        error,
      );
    default:
      return error;
  }
}
