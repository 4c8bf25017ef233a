/**
 * Subscribes to Ctrl-C, for `run(main, { onInterrupt: onSigint })`; returns how to unsubscribe.
 *
 * While it is subscribed, SIGINT does not end the process by itself.
 */
export function onSigint(interrupt: () => void): () => void {
  process.on('SIGINT', interrupt);
  return () => {
    process.off('SIGINT', interrupt);
  };
}
