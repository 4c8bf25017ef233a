import type { ItemError } from '../format/outcome.ts';
import type { OpenChunk } from './open-chunk.ts';
import type { ItemAbout } from './open-message.ts';

/** An item that is to be tried. */
export interface ItemRun {
  readonly chunk: OpenChunk;
  /** In its folder: its place in a pass. */
  readonly index: number;
  /** In the job: as whose call it is known to the downstream. */
  readonly jobIndex: number;
  readonly item: unknown;
  /** What its row says of it. */
  readonly about: ItemAbout;
  /** Attempts used. */
  attempts: number;
  /** Those of them that were refused for the rate: they have a bound of their own. */
  refusals: number;
  /** Time of those attempts here, in milliseconds. */
  callMs: number;
  /** Milliseconds since the epoch before which the next attempt must not start. */
  notBefore: number;
  /** How long that was when it was decided, in milliseconds: whatever the clock is set to, nothing waits longer. */
  waitMs: number;
  /** What it did to its process: it fails by that, whatever it answers. */
  fault?: ItemError;
  /** It has its row. */
  isSettled?: boolean;
}
