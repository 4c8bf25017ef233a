import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Rescue, UnstoredRows } from '../worker/deps.ts';

/** A message's lease outlives the time for which a loop may be blocked and this. */
const timeoutMs = 8_000;

/** Stores settled rows when this process ends, or when a thread asks it in its name: by a process of its own, since nothing of this one runs on then. */
export class RowRescue implements Rescue {
  readonly #program: string;
  readonly #sources = new Set<() => readonly UnstoredRows[]>();

  /** @param moduleUrl `rescue.mjs` is beside it */
  constructor(moduleUrl: string) {
    this.#program = fileURLToPath(new URL('./rescue.mjs', moduleUrl));
    process.on('exit', () => this.store());
  }

  watch(unstored: () => readonly UnstoredRows[]): () => void {
    this.#sources.add(unstored);
    return () => {
      this.#sources.delete(unstored);
    };
  }

  /** Returns when the rows in hand are stored, or cannot be. */
  store(): void {
    const rows = [...this.#sources].flatMap((unstored) => unstored());
    if (rows.length === 0) return;
    spawnSync(process.execPath, [this.#program], {
      input: rows.map(rescueLine).join('\n'),
      stdio: ['pipe', 'inherit', 'inherit'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
  }
}

/** What stands in a line of what the process reads. */
interface RescueLine {
  readonly key: string;
  readonly body: string;
}

const rescueLine = ({ key, body }: UnstoredRows): string =>
  JSON.stringify({ key, body: Buffer.from(body).toString() } satisfies RescueLine);

/** Reads what {@link RowRescue} writes. */
export function parseRescue(text: string): readonly RescueLine[] {
  // The process of the same bundle wrote it.
  return text.split('\n').map((line) => JSON.parse(line) as RescueLine);
}
