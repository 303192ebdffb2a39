import type { FailureCode } from "@molecule/domain/errors";
import { BackendError } from "../../provisioning/compute-backend.ts";

/** What was being done, as it completes "AWS did not …", and the code of its failure. */
export interface Ec2Operation {
  readonly doing: string;
  readonly code: FailureCode;
}

const AGAIN = "Molecule tries again by itself.";
const THROTTLED = /^(RequestLimitExceeded|Throttling.*|TooManyRequestsException)$/;
const NO_CAPACITY =
  /^(InsufficientInstanceCapacity|InsufficientHostCapacity|InsufficientCapacity.*)$/;
const LIMIT =
  /^(InstanceLimitExceeded|VcpuLimitExceeded|VolumeLimitExceeded|MaxIOPSLimitExceeded)$/;
const DENIED =
  /^(UnauthorizedOperation|AuthFailure|AccessDenied.*|InvalidClientTokenId|SignatureDoesNotMatch|ExpiredToken.*|Blocked|OptInRequired|CredentialsProviderError)$/;
const WRONG_SETTING =
  /^(Invalid(AMI|Subnet|Group|Parameter|LaunchTemplate|KeyPair|InstanceType).*|Unsupported.*|MissingParameter|VPCIdNotSpecified)$/;
const AWAY = /^(TimeoutError|NetworkingError|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EPIPE)$/;

/** The name or the code of what the SDK threw; empty when it has neither. */
export function ec2ErrorCode(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const { name, code } = error as { name?: unknown; code?: unknown };
  if (typeof code === "string" && AWAY.test(code)) return code;
  return typeof name === "string" && name !== "Error" ? name : typeof code === "string" ? code : "";
}

/** What AWS threw, as a person reads it; its own text stays in `cause`. */
export function ec2Failure(error: unknown, operation: Ec2Operation, type = ""): BackendError {
  if (error instanceof BackendError) return error;
  const name = ec2ErrorCode(error);
  const { code } = operation;
  const make = (sentence: string, next: string, isRetryable: boolean, as: FailureCode = code) =>
    new BackendError({ code: as, sentence, next }, { isRetryable, cause: error });
  if (THROTTLED.test(name)) {
    return make("AWS takes no more calls of this account right now.", AGAIN, true);
  }
  if (NO_CAPACITY.test(name)) {
    const what = type === "" ? "this instance type" : type;
    return make(
      `AWS has no free machine of the type ${what} in this zone right now.`,
      `${AGAIN} Another type (MOLECULE_EC2_TYPE) or subnet may be free.`,
      true,
    );
  }
  if (LIMIT.test(name)) {
    return make(
      "A limit of the AWS account is reached, so no further machine can be made.",
      "Remove machines that are not needed, or ask AWS for a higher limit; then retry.",
      false,
    );
  }
  if (DENIED.test(name)) {
    return make(
      `AWS does not let this platform ${operation.doing}.`,
      "Check its credentials and their permissions, then retry.",
      false,
      "backend_unavailable",
    );
  }
  if (WRONG_SETTING.test(name)) {
    return make(
      `AWS refuses a setting of this platform (${name}).`,
      "Correct the MOLECULE_EC2_ settings, then retry.",
      false,
    );
  }
  if (AWAY.test(name)) {
    return make("The API of AWS cannot be reached.", AGAIN, true, "engine_unavailable");
  }
  return make(`AWS could not ${operation.doing}.`, AGAIN, true);
}
