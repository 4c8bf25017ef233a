import * as z from 'zod';
import { lazily } from '../task/lazily.ts';
import { digestSchema } from './digest-text.ts';
import type { JobFolder } from './paths.ts';
import { rarely, versionOf } from './record.ts';

/** The version of messages that this code writes; a newer one is left in the queue for newer code. */
export const messageVersion = 1;

const place = () => ({ part: z.int().min(0), chunk: z.int().min(0) });

/** What the work queue carries: a pointer to one chunk, never its items. Fields that this code does not know go with a hand-over. */
export const workSchema = lazily(() =>
  z.looseObject({
    v: z.literal(messageVersion),
    kind: z.literal('work'),
    job: z.string(),
    /** The folder of the job: absent for its own, else the number of a redrive. */
    pass: z.int().min(1).exactOptional(),
    ...place(),
    /** Bytes of the input, both inclusive. */
    range: z.tuple([z.number(), z.number()]),
    first: z.number(),
    count: z.number(),
    /** Generation: grows with each hand-over and each resend of the chunk. */
    gen: z.int().min(0),
    /** Only these items are left: index and attempts used. Absent: all. */
    only: z.array(z.tuple([z.number(), z.number()])).optional(),
    /** Items of `only` that must wait longer than the message: index and milliseconds since the epoch. */
    waits: z.array(z.tuple([z.number(), z.number()])).optional(),
    /** Names of the segments that hold the rows of the others, and what they count. */
    segments: z.array(z.string()).optional(),
    digest: digestSchema().optional(),
    /** Milliseconds since the epoch before which the items must not start. */
    notBefore: z.number().optional(),
    /** Times that this message was a dead letter. */
    deaths: z.int().optional(),
    /** Another message of the chunk may have been sent before: workers may have left rows of it. */
    again: z.boolean().optional(),
  }),
);

/** What the tick queue carries: the number of the turn that is due. */
const tickSchema = lazily(() =>
  z.looseObject({
    v: z.literal(messageVersion),
    kind: z.literal('tick'),
    job: z.string(),
    /** The folder of the job: absent for its own, else the number of a redrive. */
    pass: z.int().min(1).exactOptional(),
    n: z.int().min(0),
    /** The writer whose effects of turn n-1 are done: absent where somebody asks for the turn who cannot know it. */
    after: z.string().optional(),
    /** Asks the turn to send all unsettled chunks again. */
    resend: z.boolean().optional(),
    /** Not the turn itself: it comes later, and sends the turn again that was not taken. */
    guard: z.boolean().optional(),
    /** How often the turn was sent again by it. */
    looks: z.int().min(0).optional(),
    deaths: z.int().optional(),
  }),
);

/** A bell in the work queue: somebody may be needed for a seat of a limited job. Losing it, doubling it, or being late changes nothing. */
const bellSchema = lazily(() =>
  z.looseObject({
    v: z.literal(messageVersion),
    kind: z.literal('seat'),
    job: z.string(),
    /** The folder of the job: absent for its own, else the number of a redrive. */
    pass: z.int().min(1).exactOptional(),
    seat: z.int().min(0),
  }),
);

export type WorkMessage = z.infer<ReturnType<typeof workSchema>>;
export type TickMessage = z.infer<ReturnType<typeof tickSchema>>;
export type BellMessage = z.infer<ReturnType<typeof bellSchema>>;
export type Message = WorkMessage | TickMessage | BellMessage;

/** Between generations of a job's chunks lie this many hand-overs, so that those of an older one never reach it. */
const handOversAGeneration = 100_000;

/** The `gen` of the first message of a chunk in a generation. */
export const firstGen = (generation: number): number => generation * handOversAGeneration;

/** The generation in which a message was sent: how often unsettled chunks had been given out anew. */
export const generationOf = (gen: number): number => Math.floor(gen / handOversAGeneration);

/** The message as an attempt sends it: SQS may have taken it before, and lost its answer. */
export const sentAgain = (message: WorkMessage, attempt: number): WorkMessage =>
  attempt === 1 ? message : { ...message, again: true };

/** The same of a body, whatever message it is. */
export function bodyAgain(body: string): string {
  const parsed = parseMessage(body);
  return parsed.kind === 'message' && parsed.message.kind === 'work'
    ? encodeMessage({ ...parsed.message, again: true })
    : body;
}

/** Rings for a seat. */
export const bellFor = (job: JobFolder, seat: number): BellMessage => ({
  v: messageVersion,
  kind: 'seat',
  ...jobFields(job),
  seat,
});

/** A folder as the fields of a message. */
export const jobFields = ({ id, pass }: JobFolder): { readonly job: string; readonly pass?: number } =>
  pass === 0 ? { job: id } : { job: id, pass };

/** The folder that a message's job and pass name. */
export const folderOf = ({ job, pass = 0 }: { readonly job: string; readonly pass?: number }): JobFolder => ({
  id: job,
  pass,
});

const messageSchema = lazily(() => z.discriminatedUnion('kind', [workSchema(), tickSchema(), bellSchema()]));

/** What a queue's body is: a message, one that newer code must read, or none of ours. */
export type ParsedMessage =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'foreign'; readonly problem: string };

/** Reads a queue's body; never throws, since anybody may write to a queue. */
export function parseMessage(body: string): ParsedMessage {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { kind: 'foreign', problem: 'the body is not JSON' };
  }
  const version = versionOf(value);
  if (version !== undefined && version > messageVersion) return { kind: 'newer', version };
  const parsed = messageSchema().safeParse(value, rarely);
  if (parsed.success) return { kind: 'message', message: parsed.data };
  return { kind: 'foreign', problem: z.prettifyError(parsed.error) };
}

/** Writes a message as ASCII: SQS refuses some characters (U+FFFE among them). */
export function encodeMessage(message: Message): string {
  return JSON.stringify(message);
}
