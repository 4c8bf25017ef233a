import { text } from 'node:stream/consumers';
import { JobStore } from '../src/aws/job-store.ts';
import { s3Client } from '../src/aws/s3.ts';
import { parseEnvironment } from '../src/runtime/environment.ts';
import { trustOwnCertificates } from '../src/runtime/own-certificates.ts';
import { parseRescue } from '../src/runtime/row-rescue.ts';
import { jsonLog } from '../src/runtime/system.ts';

trustOwnCertificates(process.env);
const store = new JobStore(s3Client({}), parseEnvironment(process.env).bucket);

/** The process that stores the rows of a worker that dies. */
const segments = parseRescue(await text(process.stdin));
await Promise.all(segments.map(({ key, body }) => store.put(key, body)));
jsonLog('warn', 'rows of a process that ends, or stands still, were stored', { segments: segments.length });
