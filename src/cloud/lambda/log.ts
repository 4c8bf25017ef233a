import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { privateFile } from '../../runtime/private-files.ts';

/** The log of one function: a file of the state folder, to which all its environments append. */
export interface FunctionLog {
  append(line: string): void;
  close(): Promise<void>;
}

/** Opens `<logsDir>/<functionName>.log`, which is kept from earlier runs. */
export function openFunctionLog(logsDir: string, functionName: string): FunctionLog {
  const file = createWriteStream(join(logsDir, `${functionName}.log`), { flags: 'a', ...privateFile });
  // A full disk must not end the cloud: the functions go on without their log.
  file.on('error', () => {});
  return {
    append: (line) => {
      if (file.writable) file.write(`${line}\n`);
    },
    close: async () => {
      file.end();
      await finished(file).catch(() => {});
    },
  };
}

/** Lambda answers the last 4 KB of an invocation's log. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
const tailBytes = 4_096;

/** Keeps the end of one invocation's log. */
export interface LogTail {
  append(line: string): void;
  /** At least the last 4 KB. */
  text(): string;
}

/** Makes an empty tail. */
export function openLogTail(): LogTail {
  let text = '';
  return {
    append: (line) => {
      text = `${text}${line}\n`;
      // Cutting at each line would copy the tail again and again.
      if (text.length > 4 * tailBytes) text = text.slice(-tailBytes);
    },
    text: () => text,
  };
}
