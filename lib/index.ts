/**
 * A construct for any CDK app: `import { Fanloop } from 'fanloop/cdk'`.
 *
 * @module fanloop/cdk
 */
export { Fanloop } from './fanloop.ts';
export type { FanloopProps } from './fanloop-props.ts';
export type { JobTargetProps } from './job-target.ts';
