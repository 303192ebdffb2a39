import type { FileFault } from "@molecule/domain/sets";

/** Numbers of draft-ietf-secsh-filexfer-02 §7, which OpenSSH speaks. */
export const SFTP_EOF = 1;
export const SFTP_FAILURE = 4;
const FAULTS: Readonly<Record<number, FileFault>> = {
  2: "not-found",
  3: "permission",
  4: "failure",
  5: "bad-message",
  8: "unsupported",
};

/** What a status of the file protocol means. */
export function faultOfStatus(status: number): FileFault {
  return FAULTS[status] ?? "failure";
}
