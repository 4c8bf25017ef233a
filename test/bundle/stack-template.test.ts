import { describe, expect, it } from 'vitest';
import { propsOf } from '../../lib/settings.ts';
import { readStackTemplate } from '../../src/bundle/engine.ts';
import {
  type EmbeddedSettings,
  type TemplateJson,
  withoutCode,
  withSettings,
} from '../../src/bundle/stack-template.ts';
import { parseTemplate } from '../../src/cloud/template/template.ts';
import { describeStack } from '../../src/cloud/template/template-stack.ts';
import { stackTemplate } from '../support/stack-template.ts';

/** The template as a synthesis makes it now. */
const synthesized = (settings: EmbeddedSettings = {}): TemplateJson =>
  // What the CDK's assertions give is a template.
  withoutCode(stackTemplate((stack) => propsOf(stack, settings), settings.stackName).toJSON() as TemplateJson);

/** What the embedded cloud makes of a template. */
const described = (template: TemplateJson, stackName = 'Fanloop') =>
  describeStack(parseTemplate(template), { stackName, endpointUrl: 'http://127.0.0.1:1', assetsDir: '/code' });

/** The CDK's unit tests name assets otherwise, and the synthesis of the app describes its stack. */
const comparable = (template: TemplateJson) => ({ Resources: template.Resources, Outputs: template.Outputs });

describe('the template that the package brings along', () => {
  it('is what a synthesis makes of the default stack now', () => {
    expect(comparable(readStackTemplate())).toEqual(comparable(synthesized()));
  });

  it.each<EmbeddedSettings>([
    { workers: 9 },
    { leaseSeconds: 7 },
    { maxReceiveCount: 3 },
    { allowPrivateNetwork: true },
    { workers: 2, leaseSeconds: 300, maxReceiveCount: 1_000, allowPrivateNetwork: false },
  ])('takes %j as a synthesis does', (settings) => {
    const expected = withSettings(synthesized(settings), {}, 'hash');
    expect(comparable(withSettings(readStackTemplate(), settings, 'hash'))).toEqual(comparable(expected));
  });

  it('runs under another name as a stack that was synthesized under it', () => {
    const settings = { stackName: 'Other' };
    const found = described(withSettings(readStackTemplate(), settings, 'hash'), 'Other');
    const expected = described(withSettings(synthesized(settings), {}, 'hash'), 'Other');
    // A mapping's logical id, which nothing else names, has the stack's name in it.
    const unnamed = ({ mappings, ...rest }: typeof found) => ({
      ...rest,
      mappings: mappings.map(({ logicalId: _id, ...mapping }) => mapping),
    });
    expect(unnamed(found)).toEqual(unnamed(expected));
  });
});
