import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { FanloopStack, type FanloopStackProps } from '../../lib/fanloop-stack.ts';

/** Synthesizes the stack in this process, with one small file as the code of each function. */
export function stackTemplate(props: Omit<FanloopStackProps, 'bundles'> = {}, id = 'Fanloop'): Template {
  const folder = mkdtempSync(path.join(tmpdir(), 'fanloop-stack-test-'));
  try {
    const code = path.join(folder, 'code');
    mkdirSync(code);
    writeFileSync(path.join(code, 'index.mjs'), 'export const handler = async () => {};\n');
    const folders = { 'fan-out': code, worker: code, tick: code, 'dead-letter': code };
    const app = new App({ outdir: path.join(folder, 'cdk.out') });
    return Template.fromStack(new FanloopStack(app, id, { ...props, bundles: { folders, hash: '0123456789abcdef' } }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
