import { readFileSync } from 'node:fs';
import path from 'node:path';

export const projectRoot: string = path.dirname(path.dirname(import.meta.dirname));

/** The files that a guide shows: code blocks whose first line is a comment with the file's name. */
export function filesOf(guide: string): ReadonlyMap<string, string> {
  const text = readFileSync(path.join(projectRoot, guide), 'utf8');
  const blocks = text.matchAll(/```ts\n\/\/ (\S+\.ts)\n(.*?)```/gs);
  return new Map([...blocks].map(([, name = '', code = '']) => [name, code]));
}
