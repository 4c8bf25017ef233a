import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A server that all contenders call. */
export interface BenchServer extends AsyncDisposable {
  readonly url: string;
}

/** Whether a program is there. */
export const has = (program: string): boolean => spawnSync(program, ['-v'], { stdio: 'ignore' }).error === undefined;

/** nginx with one worker process that answers the same short JSON to every request. */
export async function openNginx(folder: string): Promise<BenchServer> {
  const port = 20_000 + (process.pid % 20_000);
  const home = path.join(folder, 'nginx');
  mkdirSync(home, { recursive: true });
  const config = `
    daemon off; worker_processes 1; pid ${home}/pid; error_log stderr crit;
    events { worker_connections 2048; }
    http {
      access_log off; keepalive_requests 1000000;
      client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy; fastcgi_temp_path ${home}/fastcgi;
      uwsgi_temp_path ${home}/uwsgi; scgi_temp_path ${home}/scgi;
      server { listen 127.0.0.1:${port} backlog=2048; location / { default_type application/json; return 200 '{"ok":true}'; } }
    }`;
  writeFileSync(path.join(home, 'nginx.conf'), config);
  const child = spawn('nginx', ['-p', home, '-c', path.join(home, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}/`;
  await untilItAnswers(url);
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await once(child, 'exit');
    },
  };
}

/** How full a server was kept. */
export interface DelayStats {
  readonly calls: number;
  /** Milliseconds since the epoch. */
  readonly firstAt: number;
  readonly firstAnswerAt: number;
  readonly lastAt: number;
  /** Calls in flight, summed over milliseconds. */
  readonly area: number;
}

/** A server that answers after the time in the path, and counts what is in flight. */
export interface DelayServer extends BenchServer {
  reset(): Promise<void>;
  stats(): Promise<DelayStats>;
}

export async function openDelayServer(): Promise<DelayServer> {
  const file = path.join(import.meta.dirname, 'delay-server.mjs');
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  const url = `http://127.0.0.1:${port.toString().trim()}/`;
  return {
    url,
    reset: async () => void (await (await fetch(`${url}reset`)).text()),
    // Our own server wrote it.
    stats: async () => (await (await fetch(`${url}stats`)).json()) as DelayStats,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await once(child, 'exit');
    },
  };
}

async function untilItAnswers(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await (await fetch(url)).text();
      return;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
