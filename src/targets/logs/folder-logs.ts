import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type LogLine, parseLogLine } from './log-line.ts';

/** Lines about a job from the log files of an embedded cloud, oldest first. */
export async function readFolderLogs(stateDir: string, jobId: string): Promise<readonly LogLine[]> {
  const folder = path.join(stateDir, 'logs');
  const files = await readdir(folder).catch(() => []);
  const lines: LogLine[] = [];
  for (const file of files.filter((name) => name.endsWith('.log'))) {
    const input = createReadStream(path.join(folder, file), 'utf8');
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const line = parseLogLine(text, jobId);
      if (line !== undefined) lines.push(line);
    }
  }
  return lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}
