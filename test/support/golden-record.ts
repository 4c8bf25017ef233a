import { readFileSync } from 'node:fs';

/** A record of the golden files as its JSON, with some fields as a test needs them. */
export function goldenRecord(name: string, fields: Readonly<Record<string, unknown>> = {}): string {
  const text = readFileSync(`${import.meta.dirname}/../format/golden/1/${name}.json`, 'utf8');
  return JSON.stringify({ ...JSON.parse(text), ...fields });
}
