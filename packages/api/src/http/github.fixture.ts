import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a request for an archive is answered with. */
export type Answer = (req: IncomingMessage, res: ServerResponse) => void;

/** A request as it came. */
export interface SeenRequest {
  readonly url: string;
  readonly authorization: string | undefined;
}

/** A server of archives on loopback, in place of GitHub's. */
export interface FakeGithub extends AsyncDisposable {
  readonly origin: string;
  readonly seen: SeenRequest[];
  /** Answers by path; every other path is answered 404. */
  readonly answers: Map<string, Answer>;
}

export async function startFakeGithub(): Promise<FakeGithub> {
  const answers = new Map<string, Answer>();
  const seen: SeenRequest[] = [];
  const server = createServer((req, res) => {
    const url = req.url ?? "";
    seen.push({ url, authorization: req.headers.authorization });
    const answer = answers.get(url);
    if (answer === undefined) res.writeHead(404).end("nothing here");
    else answer(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    seen,
    answers,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
