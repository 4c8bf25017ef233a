import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { functionNames } from '../src/bundle/engine-parts.ts';
import { localCode } from '../src/bundle/local-code.ts';
import { environmentNames } from '../src/runtime/environment.ts';
import type { ImportRow } from './results.ts';

/** How long each function takes to load in a process of its own, in the embedded cloud and with the SDK: the least of some, with what V8 has compiled before and without. */
export function measureImports(home: string, rounds: number): readonly ImportRow[] {
  const { folder } = localCode(
    { root: path.join(home, 'imports'), tasks: undefined },
    path.join(home, 'imports-cache'),
  );
  const compiled = path.join(home, 'imports-compiled');
  rmSync(compiled, { recursive: true, force: true });
  return functionNames.map((name) => {
    const load = (env: Readonly<Record<string, string>> = {}): number =>
      importMs(path.join(folder, `${name}.mjs`), env);
    const cached = { NODE_COMPILE_CACHE: compiled };
    const places = { here: { [environmentNames.localFiles]: home }, sdk: {} };
    for (const place of Object.values(places)) load({ ...place, ...cached });
    const runs = Array.from({ length: rounds }, () => ({
      here: { cold: load(places.here), cached: load({ ...places.here, ...cached }) },
      sdk: { cold: load(places.sdk), cached: load({ ...places.sdk, ...cached }) },
    }));
    const least = (place: keyof typeof places) => ({
      coldMs: Math.min(...runs.map((run) => run[place].cold)),
      cachedMs: Math.min(...runs.map((run) => run[place].cached)),
    });
    return { name, rounds, ...least('here'), sdk: least('sdk') };
  });
}

/** Processor time of the import alone: on a machine that others use, the time on the wall says less. */
function importMs(file: string, env: Readonly<Record<string, string>>): number {
  const script = `
    const before = process.cpuUsage();
    await import(${JSON.stringify(file)});
    const { user, system } = process.cpuUsage(before);
    process.getBuiltinModule('node:module').flushCompileCache();
    console.log((user + system) / 1000);
    process.exit(0);`;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...stackVariables, ...env },
  });
  return Number(text.trim().split('\n').at(-1));
}

/** What a function reads when it is loaded; nobody is asked anything. */
const stackVariables = {
  FANLOOP_BUCKET: 'bench',
  FANLOOP_WORK_QUEUE_URL: 'http://127.0.0.1:1/000000000000/work',
  FANLOOP_TICK_QUEUE_URL: 'http://127.0.0.1:1/000000000000/tick',
  FANLOOP_WORKERS: '2',
  FANLOOP_LEASE_SECONDS: '60',
  FANLOOP_ALLOW_PRIVATE_NETWORK: 'true',
  FANLOOP_BUNDLE_HASH: 'bench',
  FANLOOP_NAME: 'bench',
  FANLOOP_WORKER_MEMORY_MB: '1024',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
};
