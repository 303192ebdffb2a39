/** What a machine is started with. */
export interface MachineStart {
  /** `i-…` */
  readonly id: string;
  /** Script that runs at the first start, as root; empty: none. */
  readonly userData: string;
}

/**
 * What stands behind the instances of the fake EC2. Real ones run a real sshd and Node and their user
 * data; {@link noMachines} only says that they do.
 */
export interface MachineHost extends AsyncDisposable {
  /** One line for a person: what a machine is here. */
  readonly what: string;
  /** Starts a machine, also one that was stopped. Resolves with its address in the private network. */
  start(machine: MachineStart): Promise<{ readonly privateIp: string }>;
  /** It runs no more and keeps its disk. */
  stop(id: string): Promise<void>;
  /** Nothing is left of it but the volumes that were attached. */
  remove(id: string): Promise<void>;
  /** What it printed so far. */
  console(id: string): Promise<string>;
  /** A device with the volume appears in a running machine; its content outlives machines. */
  attach(id: string, volumeId: string): Promise<void>;
  detach(id: string, volumeId: string): Promise<void>;
  /** What the volume holds is gone. */
  dropVolume(volumeId: string): Promise<void>;
  /** Lets the owner of the key sign in for so many seconds. */
  grant(id: string, user: string, publicKey: string, seconds: number): Promise<void>;
  /** Told whenever a machine ends that nobody stopped. */
  onEnd(listener: (id: string) => void): void;
}

/** Machines that exist in the answers of the API alone. For counting calls. */
export function noMachines(): MachineHost {
  let count = 0;
  const addresses = new Map<string, string>();
  return {
    what: "nothing really runs",
    start: async ({ id }) => {
      count += 1;
      const privateIp = addresses.get(id) ?? `10.0.${Math.floor(count / 250)}.${count % 250}`;
      addresses.set(id, privateIp);
      return { privateIp };
    },
    stop: async () => undefined,
    remove: async () => undefined,
    console: async () => "",
    attach: async () => undefined,
    detach: async () => undefined,
    dropVolume: async () => undefined,
    grant: async () => undefined,
    onEnd: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}
