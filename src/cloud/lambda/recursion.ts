/**
 * Recursion detection: Lambda counts in the trace header (its `Lineage` field) how often each function was invoked in one
 * chain of requests, and the SDK hands the header on with each message and each invocation.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 */
import { createHash, randomBytes } from 'node:crypto';

/** A function is invoked about this many times in one chain; the next time it is stopped. */
export const maxInvocationsInChain = 16;

/** How often the function was invoked before in the chain that a trace header belongs to. */
export function invocationsInChain(traceHeader: string | undefined, functionArn: string): number {
  return lineageOf(traceHeader).get(hash(functionArn)) ?? 0;
}

/**
 * Writes the trace header of an invocation: the chain of the events that cause it, and one invocation more of this function.
 * Of several events the longest chain counts.
 */
export function traceInvocation(traceHeaders: ReadonlyArray<string | undefined>, functionArn: string): string {
  const lineage = new Map<string, number>();
  for (const header of traceHeaders) {
    for (const [id, count] of lineageOf(header)) lineage.set(id, Math.max(count, lineage.get(id) ?? 0));
  }
  const own = hash(functionArn);
  lineage.set(own, (lineage.get(own) ?? 0) + 1);
  const [first] = traceHeaders;
  const root = (traceHeaders.length === 1 ? field(first, 'Root') : undefined) ?? newRoot();
  const counts = [...lineage].map(([id, count]) => `${id}:${count}`).join('|');
  return `Root=${root};Parent=${randomBytes(8).toString('hex')};Sampled=0;Lineage=${counts}`;
}

function lineageOf(traceHeader: string | undefined): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const entry of field(traceHeader, 'Lineage')?.split('|') ?? []) {
    const [id, count] = entry.split(':');
    if (id !== undefined && count !== undefined) counts.set(id, Number(count) || 0);
  }
  return counts;
}

function field(traceHeader: string | undefined, name: string): string | undefined {
  return traceHeader
    ?.split(';')
    .find((part) => part.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

function newRoot(): string {
  const seconds = Math.floor(Date.now() / 1_000).toString(16);
  return `1-${seconds}-${randomBytes(12).toString('hex')}`;
}

function hash(functionArn: string): string {
  return createHash('sha256').update(functionArn).digest('hex').slice(0, 8);
}
