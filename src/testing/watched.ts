import { ModelBucket } from '../cloud/model/objects.ts';
import { ModelQueue } from '../cloud/model/queue.ts';
import { ModelStore } from '../cloud/model/store-port.ts';
import { type Control, controlFormat } from '../format/control.ts';
import { manifestFormat } from '../format/manifest.ts';
import { folderOf, generationOf, parseMessage, type WorkMessage } from '../format/message.ts';
import { controlKey, manifestKey, resultKey, segmentGen, segmentsPrefix } from '../format/paths.ts';
import { decodeRows } from '../format/result.ts';
import { seatFormat } from '../format/seat.ts';
import type { Clock } from '../ports.ts';
import { needsSeats } from '../task/job-limits.ts';
import { type History, placeName } from './history.ts';

/** The bucket of a simulation: writes down when results stand. */
export class WatchedBucket extends ModelBucket {
  readonly #clock: Clock;
  readonly #history: History;

  constructor(clock: Clock, history: History) {
    super(clock);
    this.#clock = clock;
    this.#history = history;
  }

  override put(...given: Parameters<ModelBucket['put']>): ReturnType<ModelBucket['put']> {
    const written = super.put(...given);
    if (typeof written !== 'string' && given[0].endsWith('/control.json'))
      this.#history.controls.push({ at: this.#clock.now(), control: controlFormat.parse(given[1]) });
    if (typeof written !== 'string') this.#noteRows(given[0], given[1]);
    if (typeof written !== 'string' && given[0].includes('/seats/'))
      this.#history.seats.push({ at: this.#clock.now(), note: seatFormat.parse(given[1]) });
    if (typeof written !== 'string' && /\/passes\/\d+\/manifest\.json$/.test(given[0])) {
      const { pass = 0, sameKey = false } = manifestFormat.parse(given[1]);
      this.#history.passes.push({ at: this.#clock.now(), pass, sameKey });
    }
    const place = /\/results\/(\d+)\/(\d+)\.ndjson$/.exec(given[0]);
    if (typeof written !== 'string' && place !== null) {
      const name = placeName({ part: Number(place[1]), chunk: Number(place[2]), pass: passOf(given[0]) });
      if (!this.#history.stoodAt.has(name)) this.#history.stoodAt.set(name, this.#clock.now());
    }
    return written;
  }

  /** Writes down whose rows stand from now on. */
  #noteRows(key: string, body: Uint8Array): void {
    if (!/^jobs\/[^/]+\/(passes\/\d+\/)?(segments|results)\//.test(key)) return;
    const { rowAtInPass } = this.#history;
    const pass = passOf(key);
    const rowAt = rowAtInPass.get(pass) ?? new Map<number, number>();
    rowAtInPass.set(pass, rowAt);
    for (const { index } of decodeRows(body).rows) if (!rowAt.has(index)) rowAt.set(index, this.#clock.now());
  }
}

/** The pass of an object in a job's folder. */
const passOf = (key: string): number => Number(/^jobs\/[^/]+\/passes\/(\d+)\//.exec(key)?.[1] ?? 0);

/** The store of a process: writes down its looks at what somebody wants. */
export class WatchedStore extends ModelStore {
  readonly #clock: Clock;
  readonly #history: History;
  readonly #life: number;

  constructor(
    parts: ConstructorParameters<typeof ModelStore>[0],
    watch: { readonly history: History; readonly life: number },
  ) {
    super(parts);
    this.#clock = parts.clock;
    this.#history = watch.history;
    this.#life = watch.life;
  }

  override async get(key: string): ReturnType<ModelStore['get']> {
    const beganAt = this.#clock.now();
    const object = await super.get(key);
    if (key.endsWith('/control.json')) {
      const control = object && controlFormat.parse(object.body);
      this.#history.looks.push({ life: this.#life, beganAt, seenAt: this.#clock.now(), control });
    }
    return object;
  }
}

/** The work queue of a simulation: checks each deletion in the moment in which it happens. */
export class WatchedWorkQueue extends ModelQueue {
  readonly #bucket: ModelBucket;
  readonly #clock: Clock;
  readonly #history: History;

  constructor(
    parts: ConstructorParameters<typeof ModelQueue>[1],
    settings: ConstructorParameters<typeof ModelQueue>[2],
    watch: { readonly bucket: ModelBucket; readonly history: History },
  ) {
    super('work', parts, settings);
    this.#clock = parts.clock;
    this.#bucket = watch.bucket;
    this.#history = watch.history;
  }

  override send(...given: Parameters<ModelQueue['send']>): ReturnType<ModelQueue['send']> {
    const work = workOf(given[0].body);
    if (work !== undefined) this.#history.sent.add(`${placeName(work)}/${work.gen}`);
    return super.send(...given);
  }

  override delete(receiptHandle: string): void {
    const message = this.messages().find((candidate) => candidate.receiptHandle === receiptHandle);
    super.delete(receiptHandle);
    const work = message && workOf(message.body);
    if (work === undefined || this.#isProven(work)) return;
    const handingOver = this.#handingOver(work);
    this.#history.unproven.push({
      at: this.#clock.now(),
      place: placeName(work),
      gen: work.gen,
      ...(handingOver === undefined ? {} : { handingOver }),
    });
  }

  /** Who has stored a segment of a later generation of the chunk. */
  #handingOver(work: WorkMessage): string | undefined {
    const prefix = segmentsPrefix(folderOf(work), work);
    const names = this.#bucket.list({ prefix }).keys.map((key) => key.slice(prefix.length));
    return names.find((name) => segmentGen(name) > work.gen)?.split('-')[1];
  }

  /** Its result stands, it goes on under another message, or its job was cancelled or never began. */
  #isProven(work: WorkMessage): boolean {
    if (this.#bucket.get(resultKey(folderOf(work), work)) !== undefined) return true;
    if (this.messages().some(({ body }) => isSameChunk(workOf(body), work))) return true;
    if (this.#bucket.get(manifestKey(folderOf(work))) === undefined) return true;
    const control = this.#bucket.get(controlKey(folderOf(work)));
    if (control !== undefined && isVoid(controlFormat.parse(control.body), work)) return true;
    // Whoever sent it believes that the message is there: a queue that loses what it took is beyond the rule, and the job's end is not.
    return this.#history.countFaults().has('lost-send') || this.#history.countFaults().has('purge');
  }
}

/** Its job was cancelled, pauses, is run by seats, or has given its chunks out anew: the chunk comes back by itself. */
const isVoid = ({ state, table, generation }: Control, { gen }: WorkMessage): boolean =>
  state !== 'running' || needsSeats(table.limits) || generationOf(gen) < generation;

/** The dead-letter queue of a simulation: writes down what dies. */
export class WatchedDeadLetters extends ModelQueue {
  readonly #clock: Clock;
  readonly #history: History;

  constructor(
    parts: ConstructorParameters<typeof ModelQueue>[1],
    settings: ConstructorParameters<typeof ModelQueue>[2],
    history: History,
  ) {
    super('dead letters', parts, settings);
    this.#clock = parts.clock;
    this.#history = history;
  }

  override adopt(message: Parameters<ModelQueue['adopt']>[0]): void {
    const work = workOf(message.body);
    const at = this.#clock.now();
    if (work === undefined) this.#history.deadLetters.push({ at, kind: 'tick', place: '' });
    else this.#history.deadLetters.push({ at, kind: 'work', place: placeName(work) });
    super.adopt(message);
  }
}

/** The work message in a body, if it is one. */
export function workOf(body: string): WorkMessage | undefined {
  const parsed = parseMessage(body);
  return parsed.kind === 'message' && parsed.message.kind === 'work' ? parsed.message : undefined;
}

/** The seat for which a body rings, if it is a bell. */
export function bellOf(body: string): number | undefined {
  const parsed = parseMessage(body);
  return parsed.kind === 'message' && parsed.message.kind === 'seat' ? parsed.message.seat : undefined;
}

function isSameChunk(a: WorkMessage | undefined, b: WorkMessage): boolean {
  return a !== undefined && a.job === b.job && a.pass === b.pass && a.part === b.part && a.chunk === b.chunk;
}
