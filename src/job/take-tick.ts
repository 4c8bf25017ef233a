import { parseMessage } from '../format/message.ts';
import { limits } from '../limits.ts';
import type { ReceivedMessage } from '../ports.ts';
import { guardTurn } from './guard-turn.ts';
import { runTick, type TickDeps } from './run-tick.ts';
import { failedSeconds, writerFor } from './turn-writer.ts';

/** Takes the turn that a received message stands for; `later` when the message has to stay in the queue. */
export async function takeTick(deps: TickDeps, received: ReceivedMessage, until: number): Promise<'done' | 'later'> {
  const parsed = parseMessage(received.body);
  if (parsed.kind !== 'message' || parsed.message.kind !== 'tick') {
    deps.log('warn', 'a message of the tick queue was left there: it is no tick that this code knows', {
      messageId: received.messageId,
    });
    return 'later';
  }
  const { message } = parsed;
  const stayAway = (seconds: number): Promise<void> => deps.tickQueue.changeVisibility(received.receiptHandle, seconds);
  await stayAway(holdSeconds);
  try {
    if (message.guard === true) {
      await guardTurn(deps, message);
      return 'done';
    }
    const writer = writerFor(received.messageId, deps.writer);
    const answer = await runTick({ ...deps, writer }, message, { until });
    if (answer.kind === 'later') await stayAway(answer.delaySeconds);
    return answer.kind;
  } catch (error) {
    // Where this fails as well, the hold ends later and the message comes back then.
    await stayAway(received.receiveCount * failedSeconds).catch(() => undefined);
    throw error;
  }
}

/** A tick whose invocation died comes back when that cannot be running any more, long before the queue's own visibility is over. */
const holdSeconds = limits.tickTimeoutSeconds + 10;
