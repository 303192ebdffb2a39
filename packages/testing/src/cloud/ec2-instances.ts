import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Ec2Control } from "./ec2-control.ts";
import {
  type InstanceRecord,
  type InstanceState,
  instanceXml,
  newId,
  OWNER_ID,
  passesFilters,
  SUBNET_ID,
  SUBNET_ZONE_SUFFIX,
  stateXml,
  tagsFor,
  VPC_ID,
} from "./ec2-records.ts";
import type { Ec2Volumes } from "./ec2-volumes.ts";
import { Ec2Fault, type Params, textAt, textsAt, type XmlValue } from "./ec2-wire.ts";
import type { MachineHost } from "./machine-host.ts";

const MAX_USER_DATA_BYTES = 16 * 1024;
const END_REASON = {
  stop: { code: "Client.UserInitiatedShutdown", message: "User initiated shutdown" },
  itself: { code: "Client.InstanceInitiatedShutdown", message: "Instance initiated shutdown" },
} as const;

/** Settings of {@link Ec2Instances}. */
export interface InstancesParts {
  readonly region: string;
  readonly machines: MachineHost;
  readonly control: Ec2Control;
  readonly volumes: () => Ec2Volumes;
}

/**
 * The instances of the account, each in front of one machine. `pending` until the machine runs, then
 * `running`; `stopped` and `terminated` only once the machine has ended. A new one is not found by so many
 * reads as the control says, and a terminated one stays listed for a while.
 */
export class Ec2Instances {
  readonly #parts: InstancesParts;
  readonly #instances = new Map<string, InstanceRecord>();
  readonly #byToken = new Map<string, { readonly digest: string; readonly ids: string[] }>();
  readonly #work = new Set<Promise<void>>();
  /** Instances that RunInstances really made. */
  made = 0;

  constructor(parts: InstancesParts) {
    this.#parts = parts;
    parts.machines.onEnd((id) => {
      const one = this.#instances.get(id);
      if (one === undefined || one.state !== "running") return;
      one.stateReason = END_REASON.itself;
      if (one.keepsOnShutdown) one.state = "stopped";
      else this.#terminate(one);
    });
  }

  all(): readonly InstanceRecord[] {
    return [...this.#instances.values()];
  }

  run(params: Params): XmlValue {
    const token = textAt(params, "ClientToken") ?? "";
    const digest = createHash("sha256").update(JSON.stringify(params)).digest("hex");
    const earlier = this.#byToken.get(token);
    if (token !== "" && earlier !== undefined) {
      if (earlier.digest !== digest) {
        throw new Ec2Fault(
          "IdempotentParameterMismatch",
          "Arguments on this idempotent request are inconsistent with arguments used before.",
        );
      }
      return this.#reservation(earlier.ids.map((id) => this.#record(id)));
    }
    const reservationId = newId("r");
    const count = Number(textAt(params, "MaxCount") ?? "1");
    const made = Array.from({ length: count }, () => this.#make(params, reservationId, token));
    if (token !== "") this.#byToken.set(token, { digest, ids: made.map(({ id }) => id) });
    for (const one of made) this.#follow(this.#boot(one, this.#parts.control.pendingMs));
    return this.#reservation(made);
  }

  describe(params: Params): XmlValue {
    const { control } = this.#parts;
    const wanted = textsAt(params, "InstanceId");
    for (const id of wanted) this.visible(id);
    const seen = this.all().filter((one) => {
      if (wanted.length > 0) return wanted.includes(one.id);
      if (one.hiddenReads > 0) {
        one.hiddenReads -= 1;
        return false;
      }
      return true;
    });
    const found = seen.filter((one) =>
      passesFilters(params, one.tags, {
        "instance-state-name": one.state,
        "instance-id": one.id,
        "instance-type": one.instanceType,
        "client-token": one.clientToken,
        "subnet-id": one.subnetId,
        "vpc-id": VPC_ID,
      }),
    );
    for (const one of seen) {
      if (one.state !== "terminated") continue;
      one.leftReads -= 1;
      if (one.leftReads < 0) this.#instances.delete(one.id);
    }
    const listed = found.filter((one) => this.#instances.has(one.id));
    const from = Number(textAt(params, "NextToken") ?? "0");
    const end = from + control.pageSize;
    return {
      reservationSet: listed.slice(from, end).map((one) => this.#reservation([one])),
      nextToken: end < listed.length ? String(end) : undefined,
    };
  }

  stop(params: Params): XmlValue {
    return this.#change(params, (one) => {
      if (one.state === "stopped" || one.state === "stopping") return;
      if (one.state !== "running") throw wrongState(one, "stopped");
      one.state = "stopping";
      one.stateReason = END_REASON.stop;
      this.#follow(
        this.#end(one).then(() => {
          if (one.state === "stopping") one.state = "stopped";
        }),
      );
    });
  }

  start(params: Params): XmlValue {
    return this.#change(params, (one) => {
      if (one.state === "running" || one.state === "pending") return;
      if (one.state !== "stopped") throw wrongState(one, "started");
      one.state = "pending";
      one.stateReason = null;
      this.#follow(this.#boot(one, this.#parts.control.pendingMs));
    });
  }

  terminate(params: Params): XmlValue {
    return this.#change(params, (one) => {
      if (one.state === "terminated" || one.state === "shutting-down") return;
      one.stateReason = END_REASON.stop;
      this.#terminate(one);
    });
  }

  async console(params: Params): Promise<XmlValue> {
    const one = this.visible(textAt(params, "InstanceId") ?? "");
    const text = one.state === "terminated" ? one.lastConsole : await this.#console(one);
    return {
      instanceId: one.id,
      timestamp: new Date().toISOString(),
      output: Buffer.from(text.slice(-64 * 1024)).toString("base64"),
    };
  }

  /** @throws Ec2Fault for one that is not there, or that this read does not find yet. */
  visible(id: string): InstanceRecord {
    const one = this.#record(id);
    if (one.hiddenReads === 0) return one;
    one.hiddenReads -= 1;
    throw notFound(id);
  }

  /** Resolves when everything that is under way has ended. */
  async settle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all([...this.#work]);
  }

  #make(params: Params, reservationId: string, token: string): InstanceRecord {
    const { region, control } = this.#parts;
    const template =
      textAt(params, "LaunchTemplate", "LaunchTemplateId") ??
      textAt(params, "LaunchTemplate", "LaunchTemplateName") ??
      "";
    const imageId = textAt(params, "ImageId") ?? (template === "" ? "" : "ami-of-template");
    if (imageId === "") throw new Ec2Fault("MissingParameter", "ImageId is needed");
    if (!/^ami-/.test(imageId)) {
      throw new Ec2Fault("InvalidAMIID.Malformed", `Invalid id: "${imageId}"`);
    }
    const userData = Buffer.from(textAt(params, "UserData") ?? "", "base64");
    if (userData.length > MAX_USER_DATA_BYTES) {
      throw new Ec2Fault("InvalidParameterValue", "User data is limited to 16384 bytes");
    }
    const one: InstanceRecord = {
      id: newId("i"),
      reservationId,
      imageId,
      instanceType: textAt(params, "InstanceType") ?? "m1.small",
      subnetId: textAt(params, "SubnetId") ?? SUBNET_ID,
      zone: `${region}${SUBNET_ZONE_SUFFIX}`,
      launchedAt: new Date(),
      clientToken: token,
      profileArn: profileArn(params),
      securityGroups: textsAt(params, "SecurityGroupId"),
      keepsOnShutdown: textAt(params, "InstanceInitiatedShutdownBehavior") !== "terminate",
      httpTokens: textAt(params, "MetadataOptions", "HttpTokens") ?? "optional",
      hopLimit: Number(textAt(params, "MetadataOptions", "HttpPutResponseHopLimit") ?? "1"),
      launchTemplate: template,
      userData: userData.toString("utf8"),
      tags: tagsFor(params, "instance"),
      state: "pending",
      privateIp: "",
      stateReason: null,
      hiddenReads: control.hiddenReads,
      leftReads: control.terminatedReads,
      lastConsole: "",
    };
    this.#instances.set(one.id, one);
    this.made += 1;
    return one;
  }

  async #boot(one: InstanceRecord, pendingMs: number): Promise<void> {
    const { machines } = this.#parts;
    try {
      const [machine] = await Promise.all([machines.start(one), delay(pendingMs)]);
      one.privateIp = machine.privateIp;
      if (one.state !== "pending") return;
      await this.#parts.volumes().reattach(one.id);
      one.state = "running";
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      one.stateReason = { code: "Server.InternalError", message };
      one.lastConsole = message;
      if (one.state === "pending") this.#terminate(one);
    }
  }

  #terminate(one: InstanceRecord): void {
    one.state = "shutting-down";
    const { machines } = this.#parts;
    this.#follow(
      (async () => {
        one.lastConsole = (await this.#console(one)) || one.lastConsole;
        await this.#end(one);
        await machines.remove(one.id);
        this.#parts.volumes().release(one.id);
        one.state = "terminated";
      })(),
    );
  }

  async #end(one: InstanceRecord): Promise<void> {
    await Promise.all([this.#parts.machines.stop(one.id), delay(this.#parts.control.endingMs)]);
  }

  #console(one: InstanceRecord): Promise<string> {
    return this.#parts.machines.console(one.id).catch(() => "");
  }

  #change(params: Params, change: (one: InstanceRecord) => void): XmlValue {
    const found = textsAt(params, "InstanceId").map((id) => this.visible(id));
    return {
      instancesSet: found.map((one) => {
        const before: InstanceState = one.state;
        change(one);
        return {
          instanceId: one.id,
          currentState: stateXml(one.state),
          previousState: stateXml(before),
        };
      }),
    };
  }

  #reservation(instances: readonly InstanceRecord[]): XmlValue {
    return {
      reservationId: instances[0]?.reservationId,
      ownerId: OWNER_ID,
      instancesSet: instances.map((one) => instanceXml(one, this.#parts.volumes().all())),
    };
  }

  #record(id: string): InstanceRecord {
    const found = this.#instances.get(id);
    if (found === undefined) throw notFound(id);
    return found;
  }

  /** Work that the API does not wait for; its failures show in the instance. */
  #follow(work: Promise<void>): void {
    const followed = work
      .catch(() => undefined)
      .finally(() => {
        this.#work.delete(followed);
      });
    this.#work.add(followed);
  }
}

function profileArn(params: Params): string {
  const arn = textAt(params, "IamInstanceProfile", "Arn");
  const name = textAt(params, "IamInstanceProfile", "Name");
  if (arn !== undefined) return arn;
  return name === undefined ? "" : `arn:aws:iam::${OWNER_ID}:instance-profile/${name}`;
}

function notFound(id: string): Ec2Fault {
  return new Ec2Fault("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
}

function wrongState(one: InstanceRecord, verb: string): Ec2Fault {
  const message = `The instance '${one.id}' is in the state '${one.state}' and cannot be ${verb}.`;
  return new Ec2Fault("IncorrectInstanceState", message);
}
