import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseSource, type InputSource } from '../../../src/cli/input/source.ts';

const sourcesOf = (source: InputSource) => (source.kind === 'bytes' ? source.sources : []);

describe('chooseSource', () => {
  let folder = '';
  const at = (name: string): string => path.join(folder, name);
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'fanloop-source-'));
    const names = [
      'a.ndjson',
      'a.jsonl',
      'a.json-lines',
      'a.TXT',
      'a.csv',
      'a.TSV',
      'a.json',
      'a.csv.gz',
      'bare',
      'p10.log',
      'p2.log',
      'p1.log',
    ];
    await Promise.all(names.map((name) => writeFile(at(name), '1\n')));
    await mkdir(at('sub'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['a.ndjson', 'ndjson'],
    ['a.jsonl', 'ndjson'],
    ['a.json-lines', 'ndjson'],
    ['a.TXT', 'lines'],
    ['a.csv', 'csv'],
    ['a.TSV', 'tsv'],
    ['a.json', 'json'],
    ['a.csv.gz', 'csv'],
    ['bare', undefined],
  ])('tells the format of %s by its name: %s', async (name, format) => {
    expect(sourcesOf(await chooseSource([], [at(name)]))).toMatchObject([{ name: at(name), format }]);
  });

  it('tells the format of an S3 key by its name, in any case', async () => {
    const [source] = sourcesOf(await chooseSource([], ['s3://b/k/URLS.TXT']));
    expect(source).toMatchObject({ address: 's3://b/k/URLS.TXT', format: 'lines' });
  });

  it('takes several files, and the files of a pattern in the order of their numbers', async () => {
    const inputs = [at('a.csv'), at('p*.log')];
    const names = sourcesOf(await chooseSource([], inputs)).map(({ name }) => path.basename(name));
    expect(names).toEqual(['a.csv', 'p1.log', 'p2.log', 'p10.log']);
  });

  it('takes the files into which a shell expands a pattern', async () => {
    const source = await chooseSource([at('p2.log'), at('p10.log')], [at('p1.log')]);
    expect(sourcesOf(source)).toHaveLength(3);
  });

  it.each([
    ['absent.ndjson', 'MissingFile', 'there is none'],
    ['sub', 'InvalidInput', 'expected a file, got the folder'],
    ['a.csv/x', 'MissingFile', 'a part of its path is no folder'],
    ['none-*.csv', 'MissingFile', 'expected files that fit'],
    [`${'n'.repeat(300)}.csv`, 'MissingFile', 'its name is too long'],
  ])('refuses the file "%s"', async (name, code, sentence) => {
    await expect(chooseSource([], [at(name)])).rejects.toMatchObject({
      code,
      message: expect.stringContaining(sentence),
    });
  });

  it.skipIf(process.getuid?.() === 0)('refuses a file that may not be read, in words (root may read all)', async () => {
    await chmod(at('bare'), 0o000);
    const [source] = sourcesOf(await chooseSource([], [at('bare')]));
    await expect(Array.fromAsync(source?.open(undefined) ?? [])).rejects.toMatchObject({ code: 'MissingFile' });
  });

  it.each([
    [[], [], 'EmptyInput', 'expected items'],
    [['1'], ['a.ndjson'], 'InvalidOptions', 'either as arguments or by --input'],
    [[], ['s3://bucket'], 'InvalidOptions', 's3://bucket/key'],
  ])('refuses the items %j with %j', async (items, inputs, code, sentence) => {
    await expect(chooseSource(items, inputs)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(sentence),
    });
  });
});
