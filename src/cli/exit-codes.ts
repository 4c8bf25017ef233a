/** How a command says to the shell what happened. */
export const exitCodes = {
  /** Every item succeeded, or the command did what it was asked. */
  ok: 0,
  /** The job ended and some items failed or were cancelled; or something unexpected went wrong. */
  failed: 1,
  /** The command, its options, or its input were not usable: nothing was done. */
  usage: 2,
  /** The job pauses: by itself, or since somebody asked for it. */
  paused: 3,
  /** Ctrl-C: the job goes on where it can. */
  interrupted: 130,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
