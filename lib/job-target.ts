import { type Duration, Token } from 'aws-cdk-lib';
import { EventField, type IRule, type IRuleTarget, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, type TargetBaseProps } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';

/** The job that an EventBridge rule starts: a task, and either `input` or `items`. */
export interface JobTargetProps extends TargetBaseProps {
  /** Name of the task. */
  readonly task: string;
  /** The object that holds the items, as `s3://bucket/key`; a bucket of one's own is named in `inputBuckets`. @default `items` */
  readonly input?: string;
  /** The items themselves; `EventField.fromPath('$.detail')` takes one from the event. @default `input` */
  readonly items?: readonly unknown[];
  /** Calls at once, of all workers together. @default the task's, else 100 a worker */
  readonly concurrency?: number;
  /** Limit of one attempt of an item, up to 240 seconds. @default the task's */
  readonly timeout?: Duration;
  /** Tries of one item, the first included, 1 to 20. @default the task's */
  readonly attempts?: number;
}

/** A rule's target that starts one job for each event, also when the event is delivered twice. @throws Error unless there is one source of items */
export function jobTarget(
  { fanOutFunction, tasks }: { readonly fanOutFunction: IFunction; readonly tasks: readonly string[] },
  props: JobTargetProps,
): IRuleTarget {
  const { task, input, items, concurrency, timeout, attempts, ...base } = props;
  if ((input === undefined) === (items === undefined))
    throw new Error(`expected the target of task "${task}" to have either input or items`);
  if (!Token.isUnresolved(task) && !tasks.includes(task))
    throw new Error(`expected the target's task to be one of ${tasks.join(', ')}, got "${task}"`);
  const options = {
    ...(concurrency !== undefined && { concurrency }),
    ...(timeout !== undefined && { timeoutMs: timeout.toMilliseconds() }),
    ...(attempts !== undefined && { attempts }),
  };
  return {
    bind: (rule: IRule, id = 'Target') =>
      new LambdaFunction(fanOutFunction, {
        ...base,
        event: RuleTargetInput.fromObject({
          task,
          ...(input === undefined ? { items } : { input }),
          ...(Object.keys(options).length > 0 && { options }),
          // One event may reach several rules, and a rule may have several targets.
          clientToken: `${EventField.eventId}-${rule.node.addr.slice(0, 8)}-${id}`,
        }),
      }).bind(rule, id),
  };
}
