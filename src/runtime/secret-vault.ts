import { UsageError } from '../task/errors.ts';
import type { SecretVault } from '../worker/secrets.ts';

/** Reads parameters by their full names; those that are not there are left out. */
export type ReadParameters = (names: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** A secret that was changed is used after this time at the latest. */
const keptMs = 300_000;

/** For so long before that it is read anew beside the calls, which go on with the one that is known. */
const earlierMs = 30_000;

/** Shorter texts are in every other word; taking them out would say more than leaving them. */
const minRedacted = 4;

/** The vault of one function's process: parameters below the stack's own path, each read once in five minutes. */
export class ParameterVault implements SecretVault {
  readonly #path: string;
  readonly #read: ReadParameters;
  readonly #known = new Map<string, { readonly value: string; readonly until: number }>();
  readonly #redactions = new Map<string, string>();
  /** Names that are being read: whoever needs one waits for the same answer. */
  readonly #reading = new Map<string, Promise<void>>();

  /** @param name of the stack: its parameters are `/fanloop/NAME/SECRET` */
  constructor(name: string, read: ReadParameters) {
    this.#path = `/fanloop/${name}`;
    this.#read = read;
  }

  now(): number {
    return Date.now();
  }

  async read(names: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const now = this.now();
    const old = names.filter((name) => (this.#known.get(name)?.until ?? 0) <= now + earlierMs);
    if (old.length > 0) {
      const reading = this.#readOnce(old, now + keptMs);
      if (old.some((name) => (this.#known.get(name)?.until ?? 0) <= now)) await reading;
      // Where it fails, the next call asks again.
      else reading.catch(() => undefined);
    }
    return Object.fromEntries(names.map((name) => [name, this.#known.get(name)?.value ?? '']));
  }

  redact(text: string): string {
    let clean = text;
    for (const [secret, name] of this.#redactions) if (clean.includes(secret)) clean = clean.replaceAll(secret, name);
    return clean;
  }

  /** One request for each name at a time: as many as there are calls at once would be throttled. */
  async #readOnce(names: readonly string[], until: number): Promise<void> {
    const fresh = names.filter((name) => !this.#reading.has(name));
    if (fresh.length > 0) {
      const reading = this.#learn(fresh, until).finally(() => {
        for (const name of fresh) this.#reading.delete(name);
      });
      for (const name of fresh) this.#reading.set(name, reading);
    }
    await Promise.all(names.map((name) => this.#reading.get(name)));
  }

  async #learn(names: readonly string[], until: number): Promise<void> {
    const found = await this.#read(names.map((name) => `${this.#path}/${name}`));
    const missing = names.filter((name) => !found.has(`${this.#path}/${name}`));
    if (missing.length > 0) {
      throw new UsageError(
        'MissingSecret',
        `expected the secret ${missing.join(', ')}, got none: export it or write it to .env where the job starts; on AWS, store the SecureString parameter ${this.#path}/${missing[0]}`,
      );
    }
    for (const name of names) {
      const value = found.get(`${this.#path}/${name}`) ?? '';
      this.#known.set(name, { value, until });
      if (value.length < minRedacted) continue;
      for (const form of formsOf(value)) this.#redactions.set(form, `{${name}}`);
    }
  }
}

/** Shorter pieces of base64 and of hexadecimal digits are in other words, too. */
const minEncoded = 8;

/** A secret as it is, as JSON writes it, as a URL does, in hexadecimal digits, and in base64. */
function formsOf(value: string): ReadonlySet<string> {
  const forms = new Set([value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]);
  const hex = Buffer.from(value).toString('hex');
  if (hex.length >= minEncoded) for (const digits of [hex, hex.toUpperCase()]) forms.add(digits);
  for (const base64 of base64Of(Buffer.from(value))) {
    if (base64.length < minEncoded) continue;
    forms.add(base64);
    forms.add(base64.replaceAll('+', '-').replaceAll('/', '_'));
    forms.add(encodeURIComponent(base64));
  }
  return forms;
}

/**
 * The secret alone, and within a longer text (`user:secret`) for each place in its groups of three bytes: the characters that hold bits
 * of the secret only, whatever stands around it.
 */
function base64Of(secret: Buffer): readonly string[] {
  const within = [0, 1, 2].map((before) => {
    const bytes = before + secret.length;
    const text = Buffer.concat([Buffer.alloc(before), secret]).toString('base64');
    return text.slice(Math.ceil((before * 8) / 6), Math.floor((bytes * 8) / 6));
  });
  const whole = secret.toString('base64');
  return [whole, whole.replaceAll('=', ''), ...within];
}

/** Keeps secrets out of what this process writes to its log, whoever writes it. */
export function redactOutput(vault: SecretVault): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean;
    stream.write = ((chunk: unknown, ...rest: unknown[]) =>
      write(typeof chunk === 'string' ? vault.redact(chunk) : chunk, ...rest)) as typeof stream.write;
  }
}

/** Reads SecureStrings of AWS Systems Manager, ten at once as it takes them. The client loads when the first secret is asked for. */
export const readParameters: ReadParameters = async (names) => {
  const { GetParametersCommand, SSMClient } = await import('@aws-sdk/client-ssm');
  const client = new SSMClient({});
  const found = new Map<string, string>();
  try {
    for (let from = 0; from < names.length; from += 10) {
      const Names = names.slice(from, from + 10);
      const { Parameters = [] } = await client.send(new GetParametersCommand({ Names, WithDecryption: true }));
      for (const { Name, Value } of Parameters) if (Name !== undefined && Value !== undefined) found.set(Name, Value);
    }
    return found;
  } finally {
    client.destroy();
  }
};
