import { AsyncLocalStorage } from 'node:async_hooks';

/** A module that has not loaded in this time waits for something that never comes. */
const loadMs = 5_000;

/** Who hears of a signal would have this process end in order, and a module that loops for ever keeps them from hearing. */
const silenced = ['SIGINT', 'SIGTERM', 'SIGHUP', 'unhandledRejection', 'uncaughtException'] as const;

const loaded = new AsyncLocalStorage<string>();

/** The file of the loaded module whose code runs now, through all its timers; undefined where it is nobody's. */
export const loadedFile = (): string | undefined => loaded.getStore();

/**
 * Loads somebody's module so that whatever it does meanwhile is its own failure, and not the end of this process: a top-level await
 * without end, `process.exit`, a rejection or an exception that nobody catches. What it prints is for a person to see, on stderr. A signal ends the process at once meanwhile.
 *
 * @throws whatever the module threw, or an Error that says what it did
 */
export async function guardedLoad<Value>(name: string, load: () => Promise<Value>): Promise<Value> {
  process.setSourceMapsEnabled(true);
  const { write } = process.stdout;
  const { exit } = process;
  const broken = Promise.withResolvers<never>();
  const others = process.listeners('uncaughtException');
  const fail = (error: unknown): void => {
    const file = loadedFile() ?? name;
    if (file === name) broken.reject(error);
    // It is one that was loaded before.
    else
      for (const hear of others) hear(error instanceof Error ? error : new Error(String(error)), 'uncaughtException');
  };
  const timer = setTimeout(
    () =>
      broken.reject(new Error(`expected the file to load within ${loadMs / 1_000} s, got an await that does not end`)),
    loadMs,
  );
  process.stdout.write = process.stderr.write.bind(process.stderr);
  process.exit = (code) => {
    throw new Error(`expected the file to load, got process.exit(${code ?? ''})`);
  };
  const heard = silenced.map((event) => ({ event, listeners: process.rawListeners(event) }));
  for (const event of silenced) process.removeAllListeners(event);
  process.on('unhandledRejection', fail).on('uncaughtException', fail);
  try {
    const module = await Promise.race([loaded.run(name, load), broken.promise]);
    // What it rejected at once is told after the module's own turn.
    await Promise.race([new Promise(setImmediate), broken.promise]);
    return module;
  } finally {
    clearTimeout(timer);
    process.off('unhandledRejection', fail).off('uncaughtException', fail);
    // They were given for this event.
    for (const { event, listeners } of heard)
      for (const listener of listeners) process.on(event, listener as NodeJS.SignalsListener);
    process.stdout.write = write;
    process.exit = exit;
  }
}
