import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LastWrite, Rescue } from '../worker/deps.ts';

/** On AWS a message's lease outlives the time for which a loop may be blocked and this. */
const timeoutMs = 8_000;

/** Writes what is left when this process ends, or when a thread asks it in its name: by a process of its own, since nothing of this one runs on then. */
export class ProcessRescue implements Rescue {
  readonly #program: string;
  readonly #sources = new Set<(isEnd: boolean) => readonly LastWrite[]>();

  /** @param moduleUrl `rescue.mjs` is beside it */
  constructor(moduleUrl: string) {
    this.#program = fileURLToPath(new URL('./rescue.mjs', moduleUrl));
    process.on('exit', () => this.store({ isEnd: true }));
  }

  watch(left: (isEnd: boolean) => readonly LastWrite[]): () => void {
    this.#sources.add(left);
    return () => {
      this.#sources.delete(left);
    };
  }

  /** Returns when what is left stands, or cannot be written. */
  store({ isEnd }: { readonly isEnd: boolean }): void {
    const writes = [...this.#sources].flatMap((left) => left(isEnd));
    if (writes.length === 0) return;
    spawnSync(process.execPath, ['--max-old-space-size=64', '--max-semi-space-size=1', this.#program], {
      input: writes.map(rescueLine).join('\n'),
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
  readonly ifMatch?: string;
}

const rescueLine = (write: LastWrite): string =>
  JSON.stringify({ ...write, body: Buffer.from(write.body).toString() } satisfies RescueLine);

/** Reads what {@link ProcessRescue} writes. */
export function parseRescue(text: string): readonly RescueLine[] {
  // The process of the same bundle wrote it.
  return text.split('\n').map((line) => JSON.parse(line) as RescueLine);
}
