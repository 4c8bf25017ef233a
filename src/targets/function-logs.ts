import { stackOutputs } from '../runtime/environment.ts';

const functionOutputs = [
  stackOutputs.fanOutFunction,
  stackOutputs.tickFunction,
  stackOutputs.workerFunction,
  stackOutputs.deadLetterFunction,
];

/** Names of the functions of a stack with these outputs. */
export const functionNames = (outputs: Readonly<Record<string, string>>): readonly string[] =>
  functionOutputs.map((output) => outputs[output]).filter((name) => name !== undefined);

/** The log group of a function that is given none; LocalStack writes to it whatever group a function is given. */
export const defaultLogGroup = (functionName: string): string => `/aws/lambda/${functionName}`;
