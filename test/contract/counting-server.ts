import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A downstream that counts the calls of each path and answers what the test says. */
export async function startCountingServer(answer: (path: string, call: number) => string) {
  const calls = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const call = (calls.get(path) ?? 0) + 1;
    calls.set(path, call);
    response.end(answer(path, call));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    callsOf: (path: string): number => calls.get(path) ?? 0,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
