import { UsageError } from '../../task/errors.ts';

/** Reads the values of `--secret-header`, as `authorization=Bearer {API_TOKEN}`. @throws UsageError `InvalidOptions` */
export function secretHeadersOf(
  taskName: string,
  given: readonly string[] = [],
): { readonly secretHeaders?: Readonly<Record<string, string>> } {
  if (given.length === 0) return {};
  if (taskName !== 'http') {
    throw new UsageError(
      'InvalidOptions',
      `expected --secret-header with the task http, got the task ${taskName}; declare secrets in its file: defineTask({ secrets: ['API_TOKEN'] })`,
    );
  }
  return { secretHeaders: Object.fromEntries(given.map(parse)) };
}

function parse(text: string): readonly [string, string] {
  const [, name, template] = /^([!#$%&'*+.^_`|~\w-]+)\s*[=:]\s*(.+)$/s.exec(text) ?? [];
  if (name === undefined || template === undefined || !/\{[A-Za-z_][A-Za-z0-9_]*\}/.test(template)) {
    throw new UsageError(
      'InvalidOptions',
      // The value itself may be the secret that somebody wrote by mistake.
      `expected --secret-header 'authorization=Bearer {API_TOKEN}', with the name of a secret in braces${name === undefined ? '' : `, got another value of ${name}`}`,
    );
  }
  return [name.toLowerCase(), template];
}
