import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseSource } from '../../../src/cli/input/source.ts';

describe('chooseSource', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'fanloop-source-'));
    const names = ['a.ndjson', 'a.jsonl', 'a.json-lines', 'a.TXT', 'a.csv', 'bare'];
    await Promise.all(names.map((name) => writeFile(path.join(folder, name), '1\n')));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['a.ndjson', 'ndjson'],
    ['a.jsonl', 'ndjson'],
    ['a.json-lines', 'ndjson'],
    ['a.TXT', 'lines'],
  ])('tells the format of %s: %s', async (name, format) => {
    await expect(chooseSource([], { input: path.join(folder, name) })).resolves.toMatchObject({
      kind: 'stream',
      format,
    });
  });

  it('lets --format say what a file is', async () => {
    const input = path.join(folder, 'bare');
    await expect(chooseSource([], { input, format: 'lines' })).resolves.toMatchObject({ format: 'lines' });
  });

  it('reads standard input as JSON lines unless it is told otherwise', async () => {
    await expect(chooseSource([], { input: '-' })).resolves.toMatchObject({ name: 'standard input', format: 'ndjson' });
    await expect(chooseSource([], { input: '-', format: 'lines' })).resolves.toMatchObject({ format: 'lines' });
  });

  it('leaves an S3 object where it is', async () => {
    await expect(chooseSource([], { input: 's3://b/k/x.ndjson' })).resolves.toEqual({
      kind: 'object',
      address: 's3://b/k/x.ndjson',
    });
  });

  it.each([
    ['a.csv', 'InvalidInput', 'to end in .ndjson, .jsonl, .json-lines'],
    ['bare', 'InvalidInput', '--format ndjson or --format lines says what it is'],
    ['absent.ndjson', 'MissingFile', 'there is none'],
    ['', 'InvalidInput', 'expected a file, got the folder'],
  ])('refuses the file "%s"', async (name, code, sentence) => {
    const refusal = chooseSource([], { input: path.join(folder, name) });
    await expect(refusal).rejects.toMatchObject({ code, message: expect.stringContaining(sentence) });
  });

  it.each([
    [[], {}, 'EmptyInput', 'expected items'],
    [['1'], { input: 'a.ndjson' }, 'InvalidOptions', 'either as arguments or by --input'],
    [['1'], { format: 'lines' } as const, 'InvalidOptions', '--format needs --input'],
    [[], { input: 's3://bucket' }, 'InvalidOptions', 's3://bucket/key'],
    [[], { input: 's3://b/k', format: 'lines' } as const, 'InvalidOptions', '--format is for files'],
  ])('refuses the items %j with %j', async (items, options, code, sentence) => {
    await expect(chooseSource(items, options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(sentence),
    });
  });
});
