/** What an instance is made from. */
export interface MachineShape {
  /** `ami-…`; null: the launch template's. */
  readonly image: string | null;
  readonly type: string;
  readonly subnet: string | null;
  readonly securityGroups: readonly string[];
  /** Name or ARN of the instance profile; null: none, which is best. */
  readonly profile: string | null;
  /** `lt-…` with its version, `1` or `$Default`; null: none. */
  readonly template: { readonly id: string; readonly version: string } | null;
}

/** A key of an AWS account. */
export interface AwsKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The settings of the EC2 backend. */
export interface Ec2Settings {
  readonly region: string;
  /** Address of the API; null: AWS's own. */
  readonly endpoint: string | null;
  /** Address of the Instance Connect API; null: AWS's own. */
  readonly connectEndpoint: string | null;
  /** Null: found as the SDK finds them (a profile, the instance's own role). Never logged. */
  readonly credentials: AwsKey | null;
  /** Who signs in on machines. */
  readonly osUser: string;
  /** Where machines reach the platform. */
  readonly platformUrl: string;
  readonly dataGb: number;
  /** Key of the data volumes; null: the account's own. */
  readonly kmsKey: string | null;
  /** What a workspace's machine is made from. */
  shapeOf(runtime: string, tier: number): MachineShape;
}

/** Settings that can be used, or what is missing, as a person reads it. */
export type ReadEc2Settings =
  | { readonly kind: "set"; readonly settings: Ec2Settings }
  | { readonly kind: "unset"; readonly note: string };

type Source = Readonly<Record<string, string | undefined>>;
const PREFIX = "MOLECULE_EC2_";
const DEFAULT_TYPES: Readonly<Record<number, string>> = {
  1: "t3.micro",
  2: "t3.small",
  3: "t3.medium",
  4: "t3.large",
};
const DEFAULT_DATA_GB = 20;

/**
 * Reads the settings. `IMAGE`, `TYPE`, `SUBNET`, `SECURITY_GROUPS`, `PROFILE` and `LAUNCH_TEMPLATE` may
 * end in a runtime, a tier or both (`…_TYPE_CLAUDE_CODE_TIER3`); the narrowest that is set counts.
 */
export function readEc2Settings(source: Source): ReadEc2Settings {
  const own = Object.entries(source).filter(([name, value]) => name.startsWith(PREFIX) && value);
  const unset = (note: string) => ({ kind: "unset", note }) as const;
  if (own.length === 0) {
    return unset(
      "Not set up: MOLECULE_EC2_IMAGE (or MOLECULE_EC2_LAUNCH_TEMPLATE), MOLECULE_EC2_PLATFORM_URL and AWS_REGION are not set.",
    );
  }
  const get = (name: string) => source[name] || null;
  const region = get(`${PREFIX}REGION`) ?? get("AWS_REGION") ?? get("AWS_DEFAULT_REGION");
  if (region === null) return unset("Not set up: AWS_REGION is missing.");
  const platformUrl = get(`${PREFIX}PLATFORM_URL`);
  if (platformUrl === null || !URL.canParse(platformUrl)) {
    return unset(
      "Not set up: MOLECULE_EC2_PLATFORM_URL, where machines reach the platform, is missing.",
    );
  }
  const hasImage = own.some(([name]) => /^MOLECULE_EC2_(IMAGE|LAUNCH_TEMPLATE)/.test(name));
  if (!hasImage) {
    return unset("Not set up: neither MOLECULE_EC2_IMAGE nor MOLECULE_EC2_LAUNCH_TEMPLATE is set.");
  }
  const dataGb = Number(get(`${PREFIX}DATA_GB`) ?? DEFAULT_DATA_GB);
  if (!Number.isInteger(dataGb) || dataGb < 1) {
    return unset("Not set up: MOLECULE_EC2_DATA_GB is no whole number of gibibytes.");
  }
  return {
    kind: "set",
    settings: {
      region,
      endpoint: get("AWS_ENDPOINT_URL_EC2"),
      connectEndpoint: get("AWS_ENDPOINT_URL_EC2_INSTANCE_CONNECT"),
      credentials: keyFrom(source),
      osUser: get(`${PREFIX}OS_USER`) ?? "ec2-user",
      platformUrl: platformUrl.replace(/\/$/, ""),
      dataGb,
      kmsKey: get(`${PREFIX}KMS_KEY`),
      shapeOf: (runtime, tier) => shapeFrom(source, runtime, tier),
    },
  };
}

function keyFrom(source: Source): AwsKey | null {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = source;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return null;
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
  };
}

function shapeFrom(source: Source, runtime: string, tier: number): MachineShape {
  const of = runtime.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
  const pick = (name: string) => {
    const full = `${PREFIX}${name}`;
    const found = [`${full}_${of}_TIER${tier}`, `${full}_${of}`, `${full}_TIER${tier}`, full]
      .map((one) => source[one])
      .find((value) => value !== undefined && value !== "");
    return found ?? null;
  };
  const [id, version = "$Default"] = (pick("LAUNCH_TEMPLATE") ?? "").split(":");
  const template = id === undefined || id === "" ? null : { id, version };
  return {
    image: pick("IMAGE"),
    type: pick("TYPE") ?? DEFAULT_TYPES[tier] ?? "t3.small",
    subnet: pick("SUBNET"),
    securityGroups: (pick("SECURITY_GROUPS") ?? "").split(",").filter((one) => one !== ""),
    profile: pick("PROFILE"),
    template,
  };
}
