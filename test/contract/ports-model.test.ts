import { randomUUID } from 'node:crypto';
import { ModelBucket } from '../../src/cloud/model/objects.ts';
import { ModelQueue } from '../../src/cloud/model/queue.ts';
import { ModelQueuePort } from '../../src/cloud/model/queue-port.ts';
import { ModelStore } from '../../src/cloud/model/store-port.ts';
import { systemClock } from '../../src/runtime/system.ts';
import { describePorts } from './ports.ts';

const bucket = new ModelBucket(systemClock);
let passedMs = 0;
/** The model's time is real, and can be moved on. */
const clock = { ...systemClock, now: () => systemClock.now() + passedMs };

describePorts('the model', () => ({
  isFair: true,
  store: new ModelStore({ bucket, clock }),
  losesAnswer: new ModelStore({
    bucket,
    clock,
    faults: ({ operation }) => (operation === 'put' ? { kind: 'repeated' } : undefined),
  }),
  queue: async ({ maxReceiveCount = 5 } = {}) => {
    const parts = { clock, newId: randomUUID };
    const deadLetters = new ModelQueue('dead', parts);
    const queue = new ModelQueue('work', parts, { redrive: { deadLetters, maxReceiveCount } });
    return {
      queue: new ModelQueuePort({ queue, clock }),
      deadLetters: new ModelQueuePort({ queue: deadLetters, clock }),
    };
  },
  pass: async (ms) => {
    passedMs += ms;
  },
}));
