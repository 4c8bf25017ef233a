import { metricDimension } from '../../format/metrics.ts';

/** A line that a function logged about a job. */
export interface LogLine {
  /** ISO 8601; empty where the line has none. */
  readonly time: string;
  readonly level: string;
  readonly message: string;
  /** What was logged: a JSON object. */
  readonly text: string;
  /** What else the line says. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Reads a logged line; undefined unless it is about this job. Lambda writes time, request id, and level before the JSON. */
export function parseLogLine(logged: string, jobId: string): LogLine | undefined {
  // Most lines are about other jobs, and finding a text is much cheaper than parsing.
  if (!logged.includes(jobId)) return undefined;
  const text = logged.slice(Math.max(0, logged.indexOf('{')));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = new Map(Object.entries(value));
  if (entries.get('jobId') !== jobId) return undefined;
  const take = (name: string): string => {
    const taken = entries.get(name);
    entries.delete(name);
    return typeof taken === 'string' ? taken : '';
  };
  entries.delete('jobId');
  // What tells CloudWatch to count the line's numbers tells a person nothing.
  for (const name of ['_aws', metricDimension]) entries.delete(name);
  const time = take('time') || take('timestamp');
  return {
    time,
    level: take('level').toLowerCase(),
    message: take('message'),
    text,
    fields: Object.fromEntries(entries),
  };
}
