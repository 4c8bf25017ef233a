/** A process that owns a state folder as `fanloop run` would, but whose faces fail by a seed until it is told to be calm. */
import type { IncomingMessage } from 'node:http';
import { findProject } from '../../../src/bundle/project.ts';
import { openProjectTasks } from '../../../src/bundle/project-tasks.ts';
import { openEmbeddedCloud } from '../../../src/cloud/host/cloud.ts';
import type { Disturbance } from '../../../src/cloud/host/disturb.ts';
import { systemClock } from '../../../src/runtime/system.ts';
import { embeddedStack } from '../../../src/targets/embedded-stack.ts';
import { seededRandom } from '../../../src/testing/seeded-random.ts';

const [stateDir = '', tasksFolder = '', seed = '1', odds = '0'] = process.argv.slice(2);
const random = seededRandom(Number(seed));
let isCalm = false;
let outage: { readonly isSqs: boolean; readonly until: number } | undefined;

const say = (message: object): void => void process.send?.(message);
const kinds = ['500', '503', '409', 'lose', 'reset', 'hang', 'hang-applied', 'truncate', 'outage'] as const;

function disturb(request: IncomingMessage): Disturbance | undefined {
  const isSqs = request.headers['x-amz-target'] !== undefined;
  if (outage !== undefined && Date.now() < outage.until && outage.isSqs === isSqs)
    return { kind: 'refuse', status: 503 };
  if (isCalm || random() >= Number(odds)) return undefined;
  const kind = kinds[Math.floor(random() * kinds.length)] ?? '500';
  say({ fault: kind });
  switch (kind) {
    case '500':
    case '503':
      return { kind: 'refuse', status: kind === '500' ? 500 : 503 };
    case '409':
      // S3 says so of conditional writes that meet; SQS never does.
      return { kind: 'refuse', status: request.method === 'PUT' ? 409 : 500 };
    case 'hang':
    case 'hang-applied':
      return { kind: 'hang', ms: 500 + 3_000 * random(), applied: kind === 'hang-applied' };
    case 'outage':
      outage = { isSqs, until: Date.now() + 3_000 * random() };
      return { kind: 'refuse', status: 503 };
    default:
      return { kind };
  }
}

const tasks = openProjectTasks(findProject(process.cwd(), tasksFolder));
await tasks.refresh();
const cloud = await openEmbeddedCloud(
  {
    stateDir,
    settings: { workers: 2, ...(tasks.folder === undefined ? {} : { tasks: tasks.folder }), allowPrivateNetwork: true },
  },
  { synthesize: embeddedStack, clock: systemClock, disturb },
);
process.on('message', () => {
  isCalm = true;
});
// Who is asked to go hands over first, as a command does.
process.on('SIGTERM', () => void cloud.close().then(() => process.exit(0)));
process.on('disconnect', () => process.exit(1));
say({ endpoint: cloud.endpoint, outputs: cloud.outputs });
