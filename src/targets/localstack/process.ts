import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { runPrefix } from './runs.ts';
import type { ServerCommand } from './server.ts';
import { commonVariables } from './variables.ts';

/** Options of {@link processCommand}. */
export interface ProcessOptions {
  /** Absolute path of the folder that keeps the installation; what a run writes is in a folder of its own there. */
  readonly home: string;
  /** Absolute path of the installation's Python. */
  readonly python: string;
  readonly port: number;
}

/** The services that the CDK and this project's stack use; each further one costs memory, and some want downloads. */
const services = 'cloudformation,cloudwatch,events,iam,kms,lambda,logs,s3,sqs,ssm,sts';

/** The command that runs LocalStack as a process of this machine, functions as child processes. */
export async function processCommand(options: ProcessOptions): Promise<ServerCommand> {
  const { home, python, port } = options;
  const runFolder = await mkdtemp(path.join(home, runPrefix()));
  const temporary = path.join(runFolder, 'tmp');
  await mkdir(temporary);
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(AWS_|LOCALSTACK_|LAMBDA_|PYTHON|VIRTUAL_ENV|NODE_)/.test(name),
  );
  return {
    file: python,
    args: ['-m', 'localstack_process_executor'],
    env: {
      ...Object.fromEntries(inherited),
      ...commonVariables,
      LAMBDA_RUNTIME_EXECUTOR: 'process',
      LAMBDA_PROCESS_NODE: process.execPath,
      GATEWAY_LISTEN: `127.0.0.1:${port}`,
      // Queue URLs carry this address; LocalStack's own domain needs a DNS server that knows it.
      LOCALSTACK_HOST: `127.0.0.1:${port}`,
      SERVICES: services,
      EAGER_SERVICE_LOADING: '0',
      LOCALSTACK_RUN_FOLDER: runFolder,
      LOCALSTACK_VOLUME_DIR: path.join(runFolder, 'volume'),
      FILESYSTEM_ROOT: path.join(runFolder, 'volume'),
      TMPDIR: temporary,
      XDG_CACHE_HOME: path.join(home, 'cache'),
      PYTHONUNBUFFERED: '1',
      // Nothing is looked up or downloaded.
      DNS_ADDRESS: '0',
      SKIP_SSL_CERT_DOWNLOAD: '1',
    },
    cleanUp: () => rm(runFolder, { recursive: true, force: true }),
  };
}
