import { parseToWrite } from '../format/json.ts';
import { NotJsonError, valueJson } from '../format/value.ts';
import { isTaskError, TaskError } from '../task/errors.ts';
import { failureOf } from '../task/failure.ts';
import type { TaskRegistry } from '../task/registry.ts';
import type { Task, TaskContext } from '../task/task.ts';

/** Where secrets come from: parameters of AWS, or the person's own environment. */
export interface SecretVault {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Values by name. @throws UsageError `MissingSecret` that names those that are nowhere */
  read(names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** A text without the secrets that were read so far: each is its name in braces. */
  redact(text: string): string;
}

/** Names within a template such as `Bearer {API_TOKEN}`. */
export function namesIn(templates: Readonly<Record<string, string>> = {}): readonly string[] {
  return Object.values(templates).flatMap((template) =>
    [...template.matchAll(placeholder)].map(([, name = '']) => name),
  );
}

const placeholder = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Names of all secrets that a job of this task needs. */
export function secretsOf(
  task: Task | undefined,
  secretHeaders: Readonly<Record<string, string>> | undefined,
): string[] {
  return [...new Set([...(task?.secrets ?? []), ...namesIn(secretHeaders)])];
}

/**
 * Tasks that get their secrets as `context.secrets`, and headers with the secrets in place; what they return, throw, and log has the
 * secrets taken out, since an API may answer with what it was sent.
 */
export function withSecrets(tasks: TaskRegistry, vault: SecretVault): TaskRegistry {
  return {
    names: tasks.names,
    load: async (name, secretHeaders) => {
      const task = await tasks.load(name);
      const names = secretsOf(task, secretHeaders);
      // Before the first call: starts that are paced would wait for them together, and become calls all at once.
      if (names.length > 0) await vault.read(names).catch(() => undefined);
      return task && withSecretsOf(task, vault);
    },
  };
}

function withSecretsOf(task: Task, vault: SecretVault): Task {
  const hasNone = task.secrets === undefined || task.secrets.length === 0;
  return {
    ...task,
    run: (item, context) => {
      // Nearly every call of nearly every job.
      if (hasNone && context.secretHeaders === undefined) return task.run(item, context);
      const names = secretsOf(task, context.secretHeaders);
      return names.length === 0 ? task.run(item, context) : runWith(task, item, { context, names, vault });
    },
  };
}

async function runWith(
  task: Task,
  item: unknown,
  {
    context,
    names,
    vault,
  }: { readonly context: TaskContext; readonly names: readonly string[]; readonly vault: SecretVault },
): Promise<unknown> {
  try {
    const secrets = await vault.read(names);
    const value = await task.run(item, {
      signal: context.signal,
      attempt: context.attempt,
      idempotencyKey: context.idempotencyKey,
      secrets,
      secretHeaders: filled(context.secretHeaders, secrets),
      used: context.used,
      log: (message, fields) => context.log(vault.redact(message), redactedFields(fields, vault)),
    });
    return parseToWrite(vault.redact(valueJson(value)));
  } catch (error) {
    throw redactedError(error, vault);
  }
}

function filled(
  templates: Readonly<Record<string, string>> = {},
  secrets: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(templates).map(([header, template]) => [
      header,
      template.replaceAll(placeholder, (_, name: string) => secrets[name] ?? ''),
    ]),
  );
}

function redactedFields(
  fields: Readonly<Record<string, unknown>> | undefined,
  vault: SecretVault,
): Readonly<Record<string, unknown>> | undefined {
  if (fields === undefined) return undefined;
  try {
    // What was an object stays one: only texts within it change.
    return parseToWrite(vault.redact(valueJson(fields))) as Readonly<Record<string, unknown>>;
  } catch {
    return { fields: 'are no JSON' };
  }
}

/** The failure as the row would show it, without the secrets; its retry stays what it is. */
function redactedError(error: unknown, vault: SecretVault): unknown {
  if (error instanceof NotJsonError) return error;
  // The wish of a plain error is read from its headers here, since they do not survive.
  const failure = failureOf(error, vault.now());
  const { message, body } = failure.error;
  const clean = vault.redact(message);
  if (clean === message && (body === undefined || vault.redact(body) === body)) return error;
  const redacted = new TaskError(clean, {
    ...failure.error,
    ...(body === undefined ? {} : { body: vault.redact(body) }),
    ...(failure.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
  });
  const stack = isTaskError(error) || error instanceof Error ? error.stack : undefined;
  if (stack !== undefined) redacted.stack = vault.redact(stack);
  return redacted;
}
