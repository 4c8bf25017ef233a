import { readdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/limits.ts';
import { makeFolder, runCli } from './cli-process.ts';

const commands = [
  'run',
  'submit',
  'watch',
  'status',
  'results',
  'cancel',
  'jobs',
  'tasks',
  'logs',
  'deploy',
  'destroy',
];

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'empty.ndjson': '',
    'blank.ndjson': '\uFEFF\r\n\n  \n',
    'broken.ndjson': '{"delayMs":1,"message":"a"}\n\n{"delayMs":1,\n',
    'refused.ndjson': '{"delayMs":1,"message":"a"}\n{"delayMs":"1","message":"b"}\n',
    'latin1.ndjson': Buffer.from('{"delayMs":1,"message":"\xfc"}\n', 'latin1'),
    'large.ndjson': `{"delayMs":1,"message":"${'x'.repeat(limits.maxItemBytes)}"}\n`,
    'items.csv': 'a,b\n',
    'urls.ndjson': 'https://example.com/\n',
  };
  await Promise.all(Object.entries(files).map(([name, content]) => writeFile(folder.at(name), content)));
});
afterAll(() => folder.remove());

describe.concurrent('help', () => {
  it.each([[[]], [['--help']], [['help']]])('lists every command for %j', async (args) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  it.each(commands)('explains %s', async (command) => {
    const { code, stdout, stderr } = await runCli([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: fanloop ${command}\\b`));
    expect(stdout).toContain('Options:');
  });

  it('explains a task: what it does, what an item is, and an example', async () => {
    const { code, stdout } = await runCli(['run', 'say-after', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('say-after: Waits, then returns the message');
    expect(stdout).toMatch(/delayMs: integer 0 to \d+\n\s+message: string/);
    expect(stdout).toContain(`fanloop run say-after '{"delayMs":1000,"message":"Hello"}'`);
  });

  it('shows the version of the package', async () => {
    await expect(runCli(['--version'])).resolves.toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it('lists the tasks with an example each, and as NDJSON', async () => {
    const [human, json] = await Promise.all([runCli(['tasks']), runCli(['tasks', '--json'])]);
    expect(human.stdout).toContain('http: ');
    expect(human.stdout).toContain('fanloop run say-after ');
    const names = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).name);
    expect(names).toEqual(expect.arrayContaining(['http', 'say-after']));
  });
});

describe.concurrent('wrong use', () => {
  const item = '{"delayMs":1,"message":"a"}';

  it.each<[string, readonly string[], string]>([
    ['a column that no row has', ['results', 'last', '--select', 'id'], 'expected --select to name fields of a row'],
    ['what another command does', ['run', '--resume'], 'unknown option \'--resume\'; "fanloop watch JOB" goes on'],
    ['jobs to remove that are not named', ['rm'], 'expected either the ids of jobs or --older-than'],
    ['an age that is none', ['rm', '--older-than', '7 days'], 'expected --older-than to be a time as 12h, 7d, or 4w'],
    ['an unknown command', ['wach'], "unknown command 'wach'; did you mean watch?"],
    [
      'an unknown option',
      ['run', 'say-after', item, '--concurency', '5'],
      "unknown option '--concurency'; did you mean --concurrency?",
    ],
    ['an unknown target', ['jobs', '--target', 'azure'], 'Allowed choices are embedded, localstack, aws'],
    ['no task', ['run'], 'expected the name of a task: '],
    ['an unknown task', ['run', 'say-aftr', item], 'got "say-aftr"; did you mean "say-after"?'],
    ['a task that resembles none', ['submit', 'kubernetes', item], 'got "kubernetes"; the tasks are '],
    ['the help of an unknown task', ['run', 'htp', '--help'], 'did you mean "http"?'],
    ['no items', ['run', 'say-after'], 'expected items: as arguments, or from a file by --input FILE'],
    [
      'items twice',
      ['run', 'say-after', item, '--input', 'refused.ndjson'],
      'either as arguments or by --input, got both',
    ],
    [
      'an empty file',
      ['run', 'say-after', '--input', 'empty.ndjson'],
      'expected at least one item, got none from empty.ndjson',
    ],
    ['blank lines only', ['run', 'say-after', '--input', 'blank.ndjson'], 'expected at least one item, got none'],
    ['empty standard input', ['run', 'say-after', '--input', '-'], 'got none from standard input'],
    [
      'a line that is no JSON',
      ['run', 'say-after', '--input', 'broken.ndjson'],
      'broken.ndjson, line 3: expected one JSON value',
    ],
    [
      'an item that the schema refuses',
      ['run', 'say-after', '--input', 'refused.ndjson'],
      'refused.ndjson, line 2: delayMs: expected',
    ],
    [
      'an argument that the schema refuses',
      ['run', 'say-after', item, '{"delayMs":1}'],
      'item 2: message: expected a text',
    ],
    [
      'bytes that are no UTF-8',
      ['run', 'say-after', '--input', 'latin1.ndjson'],
      'latin1.ndjson, line 1: expected UTF-8',
    ],
    [
      'an item over 1 MiB',
      ['run', 'say-after', '--input', 'large.ndjson'],
      'large.ndjson, line 1: expected an item of at most 1048576 bytes',
    ],
    [
      'a missing file',
      ['run', 'say-after', '--input', 'absent.ndjson'],
      'expected a file, got absent.ndjson: there is none',
    ],
    ['a folder', ['run', 'say-after', '--input', '.'], 'expected a file, got the folder .'],
    [
      'a table without rows',
      ['run', 'say-after', '--input', 'items.csv'],
      'expected at least one item, got none from items.csv',
    ],
    [
      'a concurrency of zero',
      ['run', 'say-after', item, '--concurrency', '0'],
      'expected --concurrency to be a whole number from 1 to 100,000, got "0"',
    ],
    [
      'too high a concurrency',
      ['run', 'say-after', item, '--concurrency', '100001'],
      'from 1 to 100,000, got "100001"',
    ],
    ['a timeout without a unit', ['run', 'say-after', item, '--timeout', '10'], 'as 500ms, 10s, or 2m, got "10"'],
    [
      'too long a timeout',
      ['run', 'say-after', item, '--timeout', '5m'],
      'expected --timeout to be a time from 1ms to 240s',
    ],
    [
      'no attempts',
      ['run', 'say-after', item, '--attempts', '0'],
      'expected --attempts to be a whole number from 1 to 20',
    ],
    [
      'no worker',
      ['run', 'say-after', item, '--workers', '0'],
      'expected --workers to be a whole number from 1 to 1,000',
    ],
    [
      '--workers of a deployed stack',
      ['run', 'say-after', item, '--workers', '9', '--target', 'aws'],
      'fanloop deploy --target aws --workers 9',
    ],
    [
      '--out in a missing folder',
      ['run', 'say-after', item, '--out', 'absent/out.ndjson'],
      'expected --out to be in a folder that can be written',
    ],
    ['half an S3 address', ['run', 'say-after', '--input', 's3://bucket'], 'expected --input to be s3://bucket/key'],
    [
      'plain URLs where JSON was expected',
      ['run', 'http', '--input', 'urls.ndjson'],
      'urls.ndjson, line 1: expected one JSON value, got "https://example.com/"; where a line is a text, say --format lines',
    ],
    [
      'a state folder that is a file',
      ['run', 'say-after', item, '--state', 'items.csv'],
      'expected the state folder items.csv to be one that can be written, got EEXIST; choose another by --state',
    ],
    [
      'a state folder that no file system takes',
      ['run', 'say-after', item, '--state', '/proc/fanloop/state'],
      'expected the state folder /proc/fanloop/state to be one that can be written, got ENOENT; choose another by --state',
    ],
    ['no job', ['cancel'], "missing required argument 'job'"],
    [
      'a text that is no job id',
      ['watch', 'yesterday'],
      'expected the id of a job (20 letters and digits), got "yesterday"',
    ],
    ['logs of a text that is no job id', ['logs', '../etc'], 'expected the id of a job'],
    [
      'an endpoint where nobody answers',
      ['jobs', '--target', 'localstack', '--endpoint', 'http://127.0.0.1:9'],
      'expected an answer from http://127.0.0.1:9, got ECONNREFUSED',
    ],
    ['no region', ['jobs', '--target', 'aws'], 'expected an AWS region, got none; set AWS_REGION'],
    [
      'no credentials',
      ['jobs', '--target', 'aws', '--endpoint', 'http://127.0.0.1:9', '--stack', 'creds'],
      'expected valid AWS credentials',
    ],
    ['deployment of the embedded cloud', ['deploy'], 'needs --target localstack or aws'],
    ['removal of the embedded cloud', ['destroy'], 'needs --target localstack or aws'],
  ])('refuses %s in one sentence, and makes nothing', async (situation, args, sentence) => {
    const environment = {
      XDG_CACHE_HOME: folder.at('cache'),
      HOME: folder.at('home'),
      AWS_EC2_METADATA_DISABLED: 'true',
      ...(situation === 'no credentials' ? { AWS_REGION: 'eu-central-1' } : {}),
    };
    const { code, stdout, stderr } = await runCli(args, { cwd: folder.at('.'), env: environment });
    expect(stderr).toMatch(/^fanloop: [^\n]+\n$/);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr });
    expect(stderr).toContain(sentence);
    // Tasks are read from where they are bundled; nothing else is made, above all no state.
    const made = await readdir(folder.at('cache/fanloop')).catch(() => []);
    expect(made.filter((name) => name !== 'code')).toEqual([]);
  });

  it.each([
    [{}, false],
    [{ NO_COLOR: '1' }, false],
    [{ FORCE_COLOR: '1' }, true],
    [{ NO_COLOR: '1', FORCE_COLOR: '0' }, false],
  ])('colours its words only where %o wants it', async (env, coloured) => {
    const { stderr } = await runCli(['rum'], { env });
    expect(stderr.includes('\u001b[')).toBe(coloured);
  });
});
