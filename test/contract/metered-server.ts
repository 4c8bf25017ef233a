import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call as the server saw it. */
export interface MeteredCall {
  /** When the worker began it, in milliseconds since the epoch by the worker's own clock: a busy server does not bunch these. */
  readonly at: number;
  /** The worker's process. */
  readonly pid: number;
  readonly status: number;
  /** When it was answered, or its caller had gone; absent while it is open. */
  endedAt?: number;
}

/** What one path saw. */
export interface Meter {
  readonly calls: readonly MeteredCall[];
  /** Calls that are open now, and the most that ever were. */
  readonly open: number;
  readonly most: number;
}

class Path implements Meter {
  readonly calls: MeteredCall[] = [];
  open = 0;
  most = 0;
  /** What answers the calls that wait while the path is held. */
  held: Array<() => void> | undefined;
}

/** Answers a call of the path that has been called so often before in this second; `pid` is the caller's process. */
export type Admit = (
  path: string,
  inThisSecond: () => number,
  pid: number,
) => { readonly status: number; readonly retryAfter?: string };

/** A downstream of the task `metered` that counts, for each path, calls at once and when each began. */
export async function startMeteredServer(admit: Admit = () => ({ status: 200 })) {
  const paths = new Map<string, Path>();
  const pathOf = (name: string): Path => {
    const path = paths.get(name) ?? new Path();
    paths.set(name, path);
    return path;
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://metered');
    const [at, pid, ms] = ['at', 'pid', 'ms'].map((name) => Number(searchParams.get(name)));
    const path = pathOf(pathname);
    const arrivedAt = Date.now();
    const inThisSecond = (): number =>
      path.calls.filter((call) => call.status === 200 && call.at > arrivedAt - 1_000).length;
    const { status, retryAfter } = admit(pathname, inThisSecond, pid ?? 0);
    const call: MeteredCall = { at: at ?? 0, pid: pid ?? 0, status };
    path.calls.push(call);
    path.open++;
    path.most = Math.max(path.most, path.open);
    // Before the caller can know of it, so that its next call never seems to overlap.
    const end = (): void => {
      if (call.endedAt !== undefined) return;
      call.endedAt = Date.now();
      path.open--;
    };
    let timer: NodeJS.Timeout | undefined;
    const answer = (): void => {
      if (call.endedAt !== undefined) return;
      timer = setTimeout(
        () => {
          end();
          response.end('done');
        },
        status === 200 ? ms : 0,
      );
    };
    response.statusCode = status;
    if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
    response.on('close', () => {
      clearTimeout(timer);
      end();
    });
    if (path.held === undefined) answer();
    else path.held.push(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    meter: (path: string): Meter => pathOf(path),
    /** Leaves calls of a path open until they are let go: so many come together then as their job allows, however slow the machine is. */
    hold: (name: string): (() => void) => {
      const path = pathOf(name);
      path.held ??= [];
      return () => {
        const { held = [] } = path;
        path.held = undefined;
        for (const answer of held) answer();
      };
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The largest excess of starts over `perSecond` in any time between two of them; 0 or less keeps the pace. */
export function excessOver(perSecond: number, calls: readonly MeteredCall[], seats: number): number {
  const starts = calls.map(({ at }) => at).toSorted((a, b) => a - b);
  let worst = Number.NEGATIVE_INFINITY;
  for (const [first, from] of starts.entries()) {
    for (let last = first; last < starts.length; last++) {
      const seconds = ((starts[last] ?? from) - from) / 1_000;
      // In any time a seat starts at most what the pace gives for it, 20 ms ahead of time, and one.
      const most = perSecond * (seconds + 0.02) * 1.02 + 2 * seats + 1;
      worst = Math.max(worst, last - first + 1 - most);
    }
  }
  return worst;
}

/** The most calls that were under way at once, of those that began after an instant. */
export function mostAtOnce(calls: readonly MeteredCall[], after: number): number {
  const counted = calls.filter(({ at }) => at > after);
  const open = (at: number) =>
    counted.filter((call) => call.at <= at && (call.endedAt ?? Number.POSITIVE_INFINITY) > at);
  return Math.max(0, ...counted.map(({ at }) => open(at).length));
}
