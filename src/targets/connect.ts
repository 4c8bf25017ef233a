import { Fanloop } from '../client/fanloop.ts';
import type { OpenOptions, Target } from './target.ts';
import { defaultTarget, type TargetOptions } from './target-options.ts';
import { loadTarget } from './targets.ts';

/** Which stack {@link connect} connects to. */
export interface ConnectOptions extends Partial<TargetOptions> {
  /** Whether jobs that an embedded cloud has left unfinished go on. @default true */
  readonly resume?: boolean;
}

/**
 * Connects to a stack: by default the embedded cloud of this project, in this process or in the one that has it open.
 *
 * @throws UsageError `MissingStack`, `MissingCredentials`, `Unreachable`, `StateFolderBusy`, or `InvalidOptions`
 * @example
 * await using fanloop = await connect();
 * const values = await fanloop.map('say-after', [{ delayMs: 10, message: 'Hello' }]);
 */
export async function connect(options: ConnectOptions = {}): Promise<Fanloop> {
  const { resume = true, ...chosen } = options;
  return new Fanloop(await connectTarget({ target: defaultTarget, ...chosen }, { resume, submits: true }));
}

/** Opens the stack that the options name; only its target's packages are loaded. @throws UsageError as {@link connect} */
export async function connectTarget(options: TargetOptions, open: OpenOptions): ReturnType<Target['connect']> {
  const target = await loadTarget(options.target);
  target.check(options);
  return target.connect(options, open);
}
