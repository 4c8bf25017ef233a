import { text } from 'node:stream/consumers';
import { functionDeps } from '../src/runtime/function-deps.ts';
import { trustOwnCertificates } from '../src/runtime/own-certificates.ts';
import { parseRescue } from '../src/runtime/process-rescue.ts';
import { jsonLog } from '../src/runtime/system.ts';

trustOwnCertificates(process.env);
const { store } = await functionDeps(process.env);

/** The process that writes for a worker which dies: first its rows, since whoever has their chunks next begins by reading them. */
const writes = parseRescue(await text(process.stdin));
const put = ({ key, body, ifMatch }: (typeof writes)[number]): Promise<unknown> =>
  store.put(key, body, ifMatch === undefined ? {} : { condition: { ifMatch } });
await Promise.all(writes.filter(({ ifMatch }) => ifMatch === undefined).map(put));
await Promise.all(writes.filter(({ ifMatch }) => ifMatch !== undefined).map(put));
jsonLog('warn', 'what a process had left that ends, or stands still, was written', { objects: writes.length });
