import type { Clock, Random } from '../ports.ts';

/** The stack's own table, where it has one. */
export interface OwnTable {
  readonly name: string;
  /** Names of its key attributes; both are texts. */
  readonly keyNames: readonly string[];
}

/** Proxies of a person's machine, as HTTP_PROXY, HTTPS_PROXY, and NO_PROXY name them. */
export interface ProxySettings {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
}

/** What the connectors of a process know of the world: read from its environment once, and handed in. */
export interface ConnectorSettings {
  /** Whether loopback and private addresses may be called. @default false */
  readonly allowPrivateNetwork?: boolean;
  /** Bucket of the stack, whose jobs no task may write to. @default none: there is no folder of the job */
  readonly bucket?: string | undefined;
  /** The table that is meant where an item names none. @default none */
  readonly table?: OwnTable | undefined;
  /** Folder below which tasks may use files of this machine. @default none: they may not */
  readonly localFiles?: string | undefined;
  /** @default none: every host is called directly */
  readonly proxy?: ProxySettings | undefined;
  /** An address that no item may call, `127.0.0.1:4566`: the embedded cloud's own. @default none */
  readonly ownAddress?: string | undefined;
}

/** Time and chance, for connectors that wait. */
export interface ConnectorWorld {
  readonly clock: Clock;
  readonly random: Random;
}

/** What {@link useConnectors} takes. */
export type Connectors = ConnectorSettings & ConnectorWorld;

/** Tasks outside of a stack, as in a unit test: the strictest settings, and the process's own time and chance. */
const outsideOfStack: Connectors = {
  clock: {
    now: () => Date.now(),
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
  },
  random: () => Math.random(),
};

let current: Connectors = outsideOfStack;

/** Says what the tasks of this process use; a door calls it once, before the first item runs. */
export function useConnectors(connectors: ConnectorSettings & Partial<ConnectorWorld>): void {
  current = { ...outsideOfStack, ...connectors };
}

/** One of a kind for all tasks of a process: made by the first that asks, and again when other settings came. */
export function shared<Value>(make: (connectors: Connectors) => Value): () => Value {
  let known: { readonly of: Connectors; readonly value: Value } | undefined;
  return () => {
    if (known?.of !== current) known = { of: current, value: make(current) };
    return known.value;
  };
}
