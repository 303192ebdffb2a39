/** Most instructions for everybody, and most for one workspace. */
export const MAX_INSTRUCTIONS = 50;

/** One instruction as far as an agent reads it. */
export interface Instruction {
  /** Empty when it was given none. */
  readonly title: string;
  readonly content: string;
}

/** One text for an agent, in the order given; empty without instructions. SPEC: IN1. */
export function instructionsText(instructions: readonly Instruction[]): string {
  return instructions
    .map(({ title, content }) =>
      title === "" ? content.trim() : `# ${title}\n\n${content.trim()}`,
    )
    .join("\n\n");
}
