/** A job that somebody waits for pauses; the message says why, and how it goes on. */
export class JobPaused extends Error {
  override readonly name = 'JobPaused';
}
