import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** What the server saw of one name; times are milliseconds since the epoch. */
export interface Seen {
  readonly calls: number;
  readonly refused: number;
  /** The most calls that were open at once. */
  readonly most: number;
  /** Open calls, summed over milliseconds. */
  readonly area: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** The most calls that began within a second: by the worker's clock, and as they came. */
  readonly worstSecond: number;
  readonly worstSecondSeen: number;
  /** The most units within a minute. */
  readonly worstMinute: number;
  readonly units: number;
}

/** One call. */
export interface SeenCall {
  /** When its worker began it. */
  readonly at: number;
  readonly endedAt: number;
  readonly isTaken: boolean;
}

/** A server that counts, in a process of its own. */
export interface MeterServer extends AsyncDisposable {
  readonly url: string;
  seen(name: string): Promise<Seen>;
  calls(name: string, from?: number): Promise<readonly SeenCall[]>;
  /** From now on takes so many calls a second, or all. */
  admit(name: string, perSecond?: number, retryAfter?: number): Promise<void>;
}

export async function openMeterServer(): Promise<MeterServer> {
  const file = path.join(import.meta.dirname, 'meter-server.mjs');
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  const url = `http://127.0.0.1:${port.toString().trim()}`;
  const ask = async (what: string, query: Record<string, string>): Promise<unknown> =>
    (await fetch(`${url}/${what}?${new URLSearchParams(query)}`)).json();
  return {
    url,
    // Our own server wrote both.
    seen: async (name) => (await ask('stats', { name })) as Seen,
    calls: async (name, from = 0) => (await ask('calls', { name, from: String(from) })) as readonly SeenCall[],
    admit: async (name, perSecond, retryAfter) => {
      const admitted = perSecond === undefined ? {} : { perSecond: String(perSecond) };
      await ask('admit', {
        name,
        ...admitted,
        ...(retryAfter === undefined ? {} : { retryAfter: String(retryAfter) }),
      });
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await once(child, 'exit');
    },
  };
}
