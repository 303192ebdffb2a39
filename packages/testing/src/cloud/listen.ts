import type { AddressInfo, Server } from "node:net";

/** Listens on 127.0.0.1 and answers with the port. 0, the default, takes any free one. */
export async function listenOnLoopback(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve());
  });
  return (server.address() as AddressInfo).port;
}
