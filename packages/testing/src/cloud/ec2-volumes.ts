import type { Ec2Control } from "./ec2-control.ts";
import {
  attachmentXml,
  newId,
  passesFilters,
  tagsFor,
  type VolumeRecord,
  volumeXml,
} from "./ec2-records.ts";
import { Ec2Fault, type Params, textAt, textsAt, type XmlValue } from "./ec2-wire.ts";
import type { MachineHost } from "./machine-host.ts";

/** What a volume has to know of the instance it is attached to. */
export interface AttachableInstance {
  readonly zone: string;
  readonly state: string;
}

/** The volumes of the account. They outlive instances, and each hangs on one at most. */
export class Ec2Volumes {
  readonly #volumes = new Map<string, VolumeRecord>();
  readonly #byToken = new Map<string, string>();
  readonly #machines: MachineHost;
  readonly #control: Ec2Control;
  readonly #instance: (id: string) => AttachableInstance;

  constructor(parts: {
    readonly machines: MachineHost;
    readonly control: Ec2Control;
    /** @throws Ec2Fault for one that is not there. */
    readonly instance: (id: string) => AttachableInstance;
  }) {
    this.#machines = parts.machines;
    this.#control = parts.control;
    this.#instance = parts.instance;
  }

  all(): readonly VolumeRecord[] {
    return [...this.#volumes.values()];
  }

  /** The volume's tags, for CreateTags; null: there is no such volume. */
  tagsOf(id: string): Map<string, string> | null {
    return this.#volumes.get(id)?.tags ?? null;
  }

  create(params: Params): XmlValue {
    const token = textAt(params, "ClientToken") ?? "";
    const earlier = this.#volumes.get(this.#byToken.get(token) ?? "");
    if (token !== "" && earlier !== undefined) return volumeXml(earlier);
    if (token !== "" && this.#byToken.has(token)) {
      throw new Ec2Fault("IdempotentParameterMismatch", "the volume of this token was deleted");
    }
    const zone = textAt(params, "AvailabilityZone");
    const sizeGb = Number(textAt(params, "Size"));
    if (zone === undefined || !(sizeGb >= 1)) {
      throw new Ec2Fault("MissingParameter", "AvailabilityZone and Size are needed");
    }
    const volume: VolumeRecord = {
      id: newId("vol"),
      zone,
      sizeGb,
      isEncrypted: textAt(params, "Encrypted") === "true",
      kmsKeyId: textAt(params, "KmsKeyId") ?? "",
      volumeType: textAt(params, "VolumeType") ?? "gp2",
      createdAt: new Date(),
      tags: tagsFor(params, "volume"),
      attachment: null,
    };
    this.#volumes.set(volume.id, volume);
    if (token !== "") this.#byToken.set(token, volume.id);
    return volumeXml(volume);
  }

  describe(params: Params): XmlValue {
    const wanted = textsAt(params, "VolumeId");
    for (const id of wanted) this.#find(id);
    const found = this.all()
      .filter((one) => wanted.length === 0 || wanted.includes(one.id))
      .filter((one) =>
        passesFilters(params, one.tags, {
          status: one.attachment === null ? "available" : "in-use",
          "attachment.instance-id": one.attachment?.instanceId ?? "",
          "availability-zone": one.zone,
        }),
      );
    const from = Number(textAt(params, "NextToken") ?? "0");
    const end = from + this.#control.pageSize;
    return {
      volumeSet: found.slice(from, end).map(volumeXml),
      nextToken: end < found.length ? String(end) : undefined,
    };
  }

  async attach(params: Params): Promise<XmlValue> {
    const volume = this.#find(textAt(params, "VolumeId") ?? "");
    const instanceId = textAt(params, "InstanceId") ?? "";
    const device = textAt(params, "Device") ?? "";
    const instance = this.#instance(instanceId);
    if (volume.attachment !== null) {
      throw new Ec2Fault("VolumeInUse", `${volume.id} is already attached to an instance`);
    }
    if (instance.state !== "running" && instance.state !== "stopped") {
      throw new Ec2Fault("IncorrectState", `Instance '${instanceId}' is not 'running'.`);
    }
    if (instance.zone !== volume.zone) {
      throw new Ec2Fault("InvalidVolume.ZoneMismatch", "The volume is in another zone.");
    }
    volume.attachment = { instanceId, device };
    if (instance.state === "running") await this.#machines.attach(instanceId, volume.id);
    return attachmentXml(volume, "attaching");
  }

  async detach(params: Params): Promise<XmlValue> {
    const volume = this.#find(textAt(params, "VolumeId") ?? "");
    const { attachment } = volume;
    if (attachment === null) {
      throw new Ec2Fault("IncorrectState", `Volume '${volume.id}' is in the 'available' state.`);
    }
    const answer = attachmentXml(volume, "detaching");
    volume.attachment = null;
    await this.#machines.detach(attachment.instanceId, volume.id);
    return answer;
  }

  async delete(params: Params): Promise<XmlValue> {
    const volume = this.#find(textAt(params, "VolumeId") ?? "");
    if (volume.attachment !== null) {
      throw new Ec2Fault("VolumeInUse", `Volume ${volume.id} is currently attached`);
    }
    this.#volumes.delete(volume.id);
    await this.#machines.dropVolume(volume.id);
    return { return: true };
  }

  /** A machine starts again: what hangs on it shows up in it. */
  async reattach(instanceId: string): Promise<void> {
    for (const volume of this.#on(instanceId)) await this.#machines.attach(instanceId, volume.id);
  }

  /** The instance has ended for good: its volumes are free. */
  release(instanceId: string): void {
    for (const volume of this.#on(instanceId)) volume.attachment = null;
  }

  #on(instanceId: string): readonly VolumeRecord[] {
    return this.all().filter((one) => one.attachment?.instanceId === instanceId);
  }

  #find(id: string): VolumeRecord {
    const found = this.#volumes.get(id);
    if (found !== undefined) return found;
    throw new Ec2Fault("InvalidVolume.NotFound", `The volume '${id}' does not exist.`);
  }
}
