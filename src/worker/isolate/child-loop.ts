import { parseJson } from '../../format/json.ts';
import type { ItemError } from '../../format/outcome.ts';
import type { Clock, Log } from '../../ports.ts';
import type { TaskRegistry } from '../../task/registry.ts';
import { parseItem } from '../../task/task.ts';
import { runAttempt } from '../attempt.ts';
import { describeStray, type ItemScope, itemScope, strayError } from '../item-scope.ts';
import { Usage, type Used } from '../usage.ts';
import type { ChildAnswer, ChildRequest, FromChild, ToChild } from './task-child.ts';

/** The child's side: runs the items that it is told to, and says what became of each. */
export class ChildLoop {
  readonly #deps: { readonly tasks: TaskRegistry; readonly clock: Clock; readonly log: Log };
  readonly #post: (message: FromChild) => Promise<void>;
  readonly #running = new Map<number, AbortController>();

  /** @param post resolves when the parent will hear of it, whatever becomes of this process */
  constructor(
    deps: { readonly tasks: TaskRegistry; readonly clock: Clock; readonly log: Log },
    post: (message: FromChild) => Promise<void>,
  ) {
    this.#deps = deps;
    this.#post = post;
  }

  async take(message: ToChild): Promise<void> {
    if (message.type === 'ping') return this.#post({ type: 'pong' });
    if (message.type === 'load') {
      // A task that cannot be loaded fails its items.
      await this.#deps.tasks.load(message.task).catch(() => undefined);
      return this.#post({ type: 'loaded', task: message.task });
    }
    if (message.type === 'abort') return this.#running.get(message.id)?.abort(new Error('the attempt was stopped'));
    const { id, request } = message;
    const stop = new AbortController();
    this.#running.set(id, stop);
    await this.#post({ type: 'taken', id });
    const answer = await this.#answer(request, stop.signal, () => void this.#post({ type: 'begun', id }));
    this.#running.delete(id);
    return this.#post({ type: 'answer', id, answer });
  }

  /** Whether no other item is here on whose account something may have happened. */
  get isOneAlone(): boolean {
    return this.#running.size === 1;
  }

  /** An exception ends the process: whose it is shows when it happens to an item that is alone. */
  fatal(reason: unknown): void {
    const message = describeStray('threw an exception that nobody caught', reason);
    void this.#post({ type: 'fatal', error: strayError('WorkerCrashed', message) });
  }

  async #answer(request: ChildRequest, cancelled: AbortSignal, begun: () => void): Promise<ChildAnswer> {
    const { attempt, idempotencyKey, timeoutMs } = request;
    const { tasks, clock, log } = this.#deps;
    const task = await tasks.load(request.task);
    if (task === undefined) throw new Error(`expected a task "${request.task}", got none`);
    const [jobId, index] = idempotencyKey.split('/');
    let rejection: ItemError | undefined;
    let isAnswered = false;
    const unhandled = (error: ItemError): void => {
      if (isAnswered) void this.#post({ type: 'rejection', idempotencyKey, error });
      else rejection ??= error;
    };
    const scope: ItemScope = { idempotencyKey, task: request.task, unhandled };
    return itemScope.run(scope, async () => {
      const parsed = await parseItem(task, parseJson(request.item));
      if (!parsed.ok) return { ok: false, error: { code: 'InvalidItem', message: parsed.problem, retryable: false } };
      const usage = new Usage();
      const context = {
        attempt,
        idempotencyKey,
        secretHeaders: request.secretHeaders,
        log: (message: string, fields?: Readonly<Record<string, unknown>>) =>
          log('info', message, { ...fields, jobId, index: Number(index) }),
        used: (used: Used) => usage.add(used),
      };
      const running = runAttempt({ task, item: parsed.value, context, timeoutMs, cancelled, clock });
      begun();
      const outcome = await running;
      isAnswered = true;
      scope.isOver = true;
      const said = usage.said();
      if (rejection !== undefined) return { ok: false, error: rejection, ...said };
      if (outcome.kind === 'succeeded') return { ok: true, json: outcome.json, ...said };
      if (outcome.kind === 'failed')
        return { ok: false, error: outcome.error, retryAfterMs: outcome.retryAfterMs, ...said };
      return { ok: false, error: { code: 'Stopped', message: 'the attempt was stopped', retryable: true } };
    });
  }
}
