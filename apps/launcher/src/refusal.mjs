/**
 * A start that must not go on. `message` is a sentence for the person at the terminal and `next`
 * says what they can do; no stack is shown for it.
 */
export class Refusal extends Error {
  /**
   * @param {string} message what is wrong, as a sentence
   * @param {string} next what to do about it, as a sentence
   * @param {unknown} [cause] the error behind it
   */
  constructor(message, next, cause) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Refusal";
    this.next = next;
  }
}

/**
 * The code of a Node.js or Postgres error, or "" when it has none.
 * @param {unknown} error
 * @returns {string}
 */
export function codeOf(error) {
  if (error instanceof Error && "code" in error) return String(error.code);
  return "";
}

/**
 * The refusal for a folder that cannot be written, or undefined when `error` is about something else.
 * @param {unknown} error
 * @param {string} folder
 * @returns {Refusal | undefined}
 */
export function refusalForFolder(error, folder) {
  switch (codeOf(error)) {
    case "EACCES":
    case "EPERM":
      return new Refusal(
        `The data folder ${folder} cannot be written by this user.`,
        "Give this user the folder, or set MOLECULE_HOME to a folder it can write.",
        error,
      );
    case "EROFS":
      return new Refusal(
        `The data folder ${folder} is on a file system that is mounted read-only.`,
        "Set MOLECULE_HOME to a folder on a writable disk.",
        error,
      );
    case "ENOSPC":
    case "EDQUOT":
      return new Refusal(
        `The disk that holds ${folder} is full.`,
        "Free some space, or set MOLECULE_HOME to a folder on another disk. Nothing was changed.",
        error,
      );
    case "ENOENT":
      return new Refusal(
        `The data folder ${folder} cannot be made there.`,
        "Set MOLECULE_HOME to a folder that can hold files.",
        error,
      );
    case "ENOTDIR":
    case "EEXIST":
      return new Refusal(
        `The data folder ${folder} cannot be made, because a file is in its place.`,
        "Move that file away, or set MOLECULE_HOME to another folder.",
        error,
      );
    default:
      return undefined;
  }
}
