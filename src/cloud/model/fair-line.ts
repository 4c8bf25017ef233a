import { Heap } from '../../aio/loop/heap.ts';
import type { Random } from '../../ports.ts';
import type { QueuedMessage } from './message.ts';

/** The visible messages of one tenant, and how many of its messages are in flight. */
class Tenant {
  readonly #visible = new Heap<QueuedMessage>((a, b) => a.order < b.order);
  inFlight = 0;

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
 * so that the many of one do not delay the few of another. Within a tenant the order is that of sending, as far as a standard queue keeps one.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export class FairLine {
  readonly #tenants = new Map<string, Tenant>();
  readonly #random: Random | undefined;

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
    let best: { readonly tenant: Tenant; readonly first: QueuedMessage } | undefined;
    for (const [name, tenant] of this.#tenants) {
      const first = tenant.peek();
      if (first === undefined) {
        if (tenant.inFlight === 0) this.#tenants.delete(name);
        continue;
      }
      const wins =
        best === undefined ||
        tenant.inFlight < best.tenant.inFlight ||
        (tenant.inFlight === best.tenant.inFlight && first.order < best.first.order);
      if (wins) best = { tenant, first };
    }
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

/** Messages without a group are one tenant together. */
const nameOf = (message: QueuedMessage): string => message.group ?? '';
/** How far a shuffled message may leave its place. */
const disorder = 8;
