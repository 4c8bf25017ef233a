/** A module that has not loaded in this time waits for something that never comes. */
const loadMs = 5_000;

/**
 * Loads somebody's module so that whatever it does meanwhile is its own failure, and not the end of this process: a top-level await
 * without end, `process.exit`, a rejection or an exception that nobody catches. What it prints is for a person to see, on stderr.
 *
 * @throws whatever the module threw, or an Error that says what it did
 */
export async function guardedLoad<Value>(load: () => Promise<Value>): Promise<Value> {
  process.setSourceMapsEnabled(true);
  const { write } = process.stdout;
  const { exit } = process;
  const broken = Promise.withResolvers<never>();
  const fail = (error: unknown): void => broken.reject(error);
  const timer = setTimeout(
    () => fail(new Error(`expected the file to load within ${loadMs / 1_000} s, got an await that does not end`)),
    loadMs,
  );
  process.stdout.write = process.stderr.write.bind(process.stderr);
  process.exit = (code) => {
    throw new Error(`expected the file to load, got process.exit(${code ?? ''})`);
  };
  process.on('unhandledRejection', fail).on('uncaughtException', fail);
  try {
    const loaded = await Promise.race([load(), broken.promise]);
    // What it rejected at once is told after the module's own turn.
    await Promise.race([new Promise(setImmediate), broken.promise]);
    return loaded;
  } finally {
    clearTimeout(timer);
    process.off('unhandledRejection', fail).off('uncaughtException', fail);
    process.stdout.write = write;
    process.exit = exit;
  }
}
