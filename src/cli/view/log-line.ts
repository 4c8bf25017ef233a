import type { LogLine } from '../../targets/logs/log-line.ts';

/** A line for a person: time of day, level, message, and what else it says. */
export function formatLogLine({ time, level, message, fields }: LogLine): string {
  const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
  return `${time.slice(11, 23)} ${level.padEnd(5)} ${message}${rest}`;
}
