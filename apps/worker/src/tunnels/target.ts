/** A machine as a connection needs to know it. */
export interface TunnelTarget {
  /** Number of the AWS account, or any name for it that stays the same. */
  readonly account: string;
  readonly region: string;
  readonly instanceId: string;
  readonly osUser: string;
}

/** The machine in pins and places: no two have the same, whatever addresses they are given later. */
export function machineKeyOf(target: TunnelTarget): string {
  return `${target.account}/${target.region}/${target.instanceId}`;
}

/** What connections are shared by: the machine and who signs in. */
export function slotKeyOf(target: TunnelTarget): string {
  return `${machineKeyOf(target)}/${target.osUser}`;
}
