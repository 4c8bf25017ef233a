import type { Stack } from '@aws-sdk/client-cloudformation';
import { outputPrefix, stackOutputs } from '../runtime/environment.ts';
import { defaultStackName, stackDescription } from '../runtime/stack-settings.ts';
import { UsageError } from '../task/errors.ts';
import type { TargetOptions } from './target-options.ts';

/** What says which jobs are meant: a stack, and a construct in it where it has several. */
export type StackAndName = Pick<TargetOptions, 'stack' | 'name'>;

/** The stack and the name that options mean; a stack may have the name behind it, as in `Mine/Jobs`. */
export function stackAndName({ stack = defaultStackName, name }: StackAndName): {
  readonly stackName: string;
  readonly name: string | undefined;
} {
  const [stackName = stack, ...path] = stack.split('/');
  return { stackName, name: name ?? (path.length > 0 ? path.join('/') : undefined) };
}

/** Names of the constructs that left their outputs in a stack, in alphabetical order; the only one of a default stack has none. */
export function constructNames(outputs: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(outputs)
    .filter((output) => output.endsWith(stackOutputs.fanOutFunction))
    .map((output) => output.slice(0, -stackOutputs.fanOutFunction.length))
    .filter((prefix) => `${prefix}${stackOutputs.bucket}` in outputs)
    .sort();
}

/**
 * The outputs of the construct that is meant, by their own names.
 *
 * @throws UsageError `MissingStack` when the stack has none of that name, or several and none is named
 */
export function constructOutputs(
  outputs: Readonly<Record<string, string>>,
  options: StackAndName,
): Readonly<Record<string, string>> {
  const { stackName, name } = stackAndName(options);
  const names = constructNames(outputs);
  const [only] = names;
  if (only === undefined)
    throw new UsageError(
      'MissingStack',
      `expected Fanloop in the stack "${stackName}", got a stack without it; --stack names the one that has it`,
    );
  const prefix = name === undefined ? (names.length === 1 ? only : '') : outputPrefix(name);
  if (!names.includes(prefix)) {
    const others = names.map((other) => other || '""').join(', ');
    throw new UsageError(
      'MissingStack',
      name === undefined
        ? `expected --name to choose one of ${others} in the stack "${stackName}", got none`
        : `expected --name to be one of ${others} in the stack "${stackName}", got "${name}"`,
    );
  }
  const own = Object.values(stackOutputs).map((output) => [output, outputs[`${prefix}${output}`]] as const);
  return Object.fromEntries(own.filter((entry): entry is readonly [never, string] => entry[1] !== undefined));
}

/**
 * Refuses to deploy over, or to remove, a stack that some other app made.
 *
 * @throws UsageError `InvalidOptions` unless the stack is a default one, finished or not
 */
export function requireOwnStack({ Outputs = [], Description, StackName }: Stack, verb: 'deploy' | 'destroy'): void {
  if (Description === stackDescription) return;
  if (Outputs.some(({ OutputKey }) => OutputKey === stackOutputs.fanOutFunction)) return;
  throw new UsageError(
    'InvalidOptions',
    `expected "${StackName}" to be a stack of "fanloop deploy", got one of another app; "cdk ${verb} ${StackName}" in its project does it`,
  );
}
