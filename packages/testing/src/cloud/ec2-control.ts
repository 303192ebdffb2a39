/** Every action that the fake knows. */
export const EC2_ACTIONS = [
  "RunInstances",
  "DescribeInstances",
  "TerminateInstances",
  "StopInstances",
  "StartInstances",
  "GetConsoleOutput",
  "CreateVolume",
  "DescribeVolumes",
  "AttachVolume",
  "DetachVolume",
  "DeleteVolume",
  "CreateTags",
  "DescribeSubnets",
  "DescribeInstanceConnectEndpoints",
] as const;
export type Ec2Action = (typeof EC2_ACTIONS)[number];

/** The faults and distances of the fake EC2. Change a field at any time. */
export interface Ec2Control {
  /** Time every answer takes, in ms. */
  apiDelayMs: number;
  /** Time from the call to `running`, in ms, beside what the machine itself needs. */
  pendingMs: number;
  /** Time from the call to `stopped` or `terminated`, in ms. */
  endingMs: number;
  /** How many reads do not find a new instance. AWS promises nothing here. */
  hiddenReads: number;
  /** Terminated instances are listed for so many more reads. AWS: about an hour. */
  terminatedReads: number;
  /** Most entries of one page. */
  pageSize: number;
  /** Calls that fail: the first fault of an action is used up by its next call. */
  readonly faults: Ec2FaultPlan[];
}

/** A fault that is switched on. */
export interface Ec2FaultPlan {
  /** `*`: every action. */
  readonly action: Ec2Action | "*";
  readonly code: string;
  /** How many calls it still meets; Infinity: until it is taken away. */
  times: number;
  /** The call is carried out, and its answer gets lost. */
  readonly isAnswerLost?: boolean;
}

/** Nothing is wrong and nothing takes time. */
export function newEc2Control(): Ec2Control {
  return {
    apiDelayMs: 0,
    pendingMs: 0,
    endingMs: 0,
    hiddenReads: 0,
    terminatedReads: 1_000,
    pageSize: 1_000,
    faults: [],
  };
}
