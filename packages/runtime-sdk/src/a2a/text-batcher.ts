/** How long text is gathered before it is sent on, in ms: below what an eye can tell apart. */
const BATCH_MS = 25;

/** Joins small pieces of text: the first goes out at once, later ones at most every 25 ms. */
export class TextBatcher {
  readonly #send: (text: string) => void;
  #pending = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  add(text: string): void {
    if (text === "") return;
    this.#pending += text;
    if (this.#timer !== undefined) return;
    this.#sendPending();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sendPending();
    }, BATCH_MS);
  }

  /** Everything added so far has been sent afterwards, and no timer is left. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sendPending();
  }

  #sendPending(): void {
    if (this.#pending === "") return;
    const text = this.#pending;
    this.#pending = "";
    this.#send(text);
  }
}
