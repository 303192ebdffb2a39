import type {
  Existence,
  PlatformClient,
  PlatformRefusal,
} from "@molecule/runtime-sdk/platform-client";

/** Refusals in a row after which a token is taken for worthless; before that it may be being replaced. */
const REFUSALS_THAT_COUNT = 3;

/** Where the workspace and its token are set. */
export interface StandingOptions {
  readonly client: PlatformClient;
  readonly platformUrl: string;
  /** Where the token came from: the variable, or the file in this folder. */
  readonly tokenFrom: { readonly variable: string } | { readonly file: string };
}

/**
 * What the platform thinks of this agent, over beats and tool calls alike, so that a token that is refused,
 * a workspace that was removed and one that never existed are told apart, each with its next step.
 */
export class Standing {
  readonly #options: StandingOptions;
  #refusals = 0;

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  /** The platform accepted a call. */
  accepted(): void {
    this.#refusals = 0;
  }

  /** The platform answered 401. True from the third time in a row. */
  refused(): boolean {
    this.#refusals += 1;
    return this.#refusals >= REFUSALS_THAT_COUNT;
  }

  /** Sentence and next step of what a tool's call was refused with. */
  async explain(refusal: PlatformRefusal): Promise<string> {
    if (refusal.status === 401) {
      const isFinal = this.refused();
      return this.sentenceOf(await this.#refusedAs(), isFinal);
    }
    this.accepted();
    if (refusal.status === 404 || refusal.status === 410) {
      const existence = await this.#options.client.existence();
      if (existence === "unknown" || existence === "removed")
        return this.sentenceOf(existence, true);
    }
    return refusal.next === undefined ? refusal.message : `${refusal.message} ${refusal.next}`;
  }

  /** Why a refused token was refused; asked without the token. */
  async #refusedAs(): Promise<Refusal> {
    return refusalFor(await this.#options.client.existence());
  }

  /** The same for a refusal outside of tools. */
  async explainRefusedToken(): Promise<string> {
    return this.sentenceOf(await this.#refusedAs(), true);
  }

  sentenceOf(refusal: Refusal, isFinal: boolean): string {
    const { client, platformUrl, tokenFrom } = this.#options;
    const id = client.workspaceId;
    switch (refusal) {
      case "removed":
        return `The workspace ${id} was removed from the platform (410), so these tools do nothing any more. Create another external workspace on the canvas, put its id and token into WORKSPACE_ID and MOLECULE_WORKSPACE_TOKEN, and start molecule-mcp again.`;
      case "unknown":
        return `The platform at ${platformUrl} knows no workspace ${id} (404). Check WORKSPACE_ID and PLATFORM_URL against the connection that the canvas showed, and start molecule-mcp again.`;
      case "superseded":
        return `A newer instance of the workspace ${id} has taken its place (409). End this one, or start it again with the token of the newest attempt.`;
      case "refused": {
        const from = "variable" in tokenFrom ? tokenFrom.variable : `the file ${tokenFrom.file}`;
        return isFinal
          ? `The platform does not accept the token of the workspace ${id} (401). It was revoked or replaced. Make a new one on the canvas or with POST ${platformUrl}/workspaces/${id}/tokens, put it into ${from}, and start molecule-mcp again.`
          : `The platform did not accept the token of the workspace ${id} just now (401). It may be being replaced. Try again in a few seconds.`;
      }
    }
  }
}

/** Why an agent is of no use to the platform. */
export type Refusal = "refused" | "unknown" | "removed" | "superseded";

function refusalFor(existence: Existence): Refusal {
  return existence === "unknown" || existence === "removed" ? existence : "refused";
}
