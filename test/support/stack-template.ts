import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Fanloop } from '../../lib/fanloop.ts';
import type { FanloopProps } from '../../lib/fanloop-props.ts';

/** Synthesizes in this process a stack with what `build` puts into it. */
export function synthesized(build: (stack: Stack) => void, stackName = 'Fanloop'): Template {
  const outdir = mkdtempSync(path.join(tmpdir(), 'fanloop-stack-test-'));
  try {
    const stack = new Stack(new App({ outdir }), stackName);
    build(stack);
    return Template.fromStack(stack);
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** The default stack: the construct and nothing else. */
export const stackTemplate = (
  props: FanloopProps | ((stack: Stack) => FanloopProps) = {},
  stackName?: string,
): Template =>
  synthesized((stack) => {
    new Fanloop(stack, 'Default', typeof props === 'function' ? props(stack) : props);
  }, stackName);
