import { Heap } from '../../aio/loop/heap.ts';
import type { Random } from '../../ports.ts';
import type { QueuedMessage } from './message.ts';

/** The visible messages of one tenant, how many of its messages are in flight, and when one was last given, counted in messages. */
class Tenant {
  readonly #visible = new Heap<QueuedMessage>((a, b) => a.order < b.order);
  inFlight = 0;
  givenAt = -1;

  push(message: QueuedMessage): void {
    this.#visible.push(message);
  }

  pop(): QueuedMessage | undefined {
    return this.#visible.pop();
  }

  /** The one that was sent first; what was deleted or taken meanwhile is passed over. */
  peek(): QueuedMessage | undefined {
    for (let first = this.#visible.peek(); first !== undefined; first = this.#visible.peek()) {
      if (first.state === 'visible') return first;
      this.#visible.pop();
    }
    return undefined;
  }
}

/**
 * Visible messages in the order in which a fair queue gives them: a tenant with few messages in flight comes before one with many,
 * so that the many of one do not delay the few of another; of two with as many, the one that has waited longer. AWS compares only
 * tenants that take more than a tenth of the consumers' time, and gives those of all others first: in a queue with a backlog, the
 * same. Each message without a group is a tenant of its own. Within a tenant the order is that of sending, as far as a standard
 * queue keeps one. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
 */
export class FairLine {
  readonly #tenants = new Map<string, Tenant>();
  readonly #random: Random | undefined;
  #given = 0;

  /** @param random shuffles within reason. @default the order of sending is kept */
  constructor(random?: Random) {
    this.#random = random;
  }

  add(message: QueuedMessage): void {
    this.#tenantOf(message).push(message);
  }

  /** Counts a message that is in flight now, or is not any more. */
  flies(message: QueuedMessage, by: 1 | -1): void {
    const tenant = this.#tenantOf(message);
    tenant.inFlight += by;
    if (tenant.inFlight === 0 && tenant.peek() === undefined) this.#tenants.delete(nameOf(message));
  }

  /** Takes the next visible message out of the line. */
  take(): QueuedMessage | undefined {
    let best: Candidate | undefined;
    for (const [name, tenant] of this.#tenants) {
      const first = tenant.peek();
      if (first === undefined) {
        if (tenant.inFlight === 0) this.#tenants.delete(name);
        continue;
      }
      if (best === undefined || comesBefore({ tenant, first }, best)) best = { tenant, first };
    }
    if (best !== undefined) best.tenant.givenAt = this.#given++;
    return best && this.#takeOf(best.tenant);
  }

  /** Forgets all. */
  clear(): void {
    this.#tenants.clear();
  }

  /** One of the tenant's first messages, by chance. */
  #takeOf(tenant: Tenant): QueuedMessage | undefined {
    const reach = this.#random === undefined ? 1 : 1 + Math.floor(this.#random() * disorder);
    const passed: QueuedMessage[] = [];
    let taken: QueuedMessage | undefined;
    for (let next = tenant.peek(); next !== undefined; next = tenant.peek()) {
      tenant.pop();
      if (taken !== undefined) passed.push(taken);
      taken = next;
      if (passed.length + 1 >= reach) break;
    }
    for (const message of passed) tenant.push(message);
    return taken;
  }

  #tenantOf(message: QueuedMessage): Tenant {
    const name = nameOf(message);
    let tenant = this.#tenants.get(name);
    if (tenant === undefined) {
      tenant = new Tenant();
      this.#tenants.set(name, tenant);
    }
    return tenant;
  }
}

interface Candidate {
  readonly tenant: Tenant;
  readonly first: QueuedMessage;
}

function comesBefore(a: Candidate, b: Candidate): boolean {
  if (a.tenant.inFlight !== b.tenant.inFlight) return a.tenant.inFlight < b.tenant.inFlight;
  if (a.tenant.givenAt !== b.tenant.givenAt) return a.tenant.givenAt < b.tenant.givenAt;
  return a.first.order < b.first.order;
}

/** A message id is no group: those end before the space. */
const nameOf = ({ group, messageId }: QueuedMessage): string => group ?? ` ${messageId}`;
/** How far a shuffled message may leave its place. */
const disorder = 8;
