import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ServerCommand } from './server.ts';
import { commonVariables } from './variables.ts';

const execute = promisify(execFile);

/** The last image that runs without an account. https://hub.docker.com/r/localstack/localstack */
const image = 'localstack/localstack:4.14.0';

/** An engine that says nothing for this long is none. */
const engineMs = 5_000;

/**
 * Runs LocalStack until standard input ends, which happens when whoever holds it ends, even by kill -9.
 * A background command of a shell has no standard input, so it is kept as number 3.
 */
const untilInputEnds =
  'exec 3<&0; docker-entrypoint.sh & server=$!; (cat <&3 >/dev/null; kill -TERM $server) & wait $server';

/** Whether a Docker engine answers on this machine. */
export async function dockerAnswers(): Promise<boolean> {
  return execute('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: engineMs }).then(
    () => true,
    () => false,
  );
}

/** The command that runs LocalStack in a container, functions in containers beside it. */
export function dockerCommand(port: number): ServerCommand {
  const name = `fanloop-localstack-${port}`;
  const variables = [
    `GATEWAY_LISTEN=0.0.0.0:${port}`,
    // Queue URLs carry this name; it is 127.0.0.1 on this machine, and LocalStack itself in the functions' containers.
    `LOCALSTACK_HOST=localhost.localstack.cloud:${port}`,
    `MAIN_CONTAINER_NAME=${name}`,
    ...Object.entries(commonVariables).map(([variable, value]) => `${variable}=${value}`),
    'ACTIVATE_PRO=0',
    // The functions are built for arm64; their JavaScript runs on any processor, on that of this machine without emulation.
    ...(process.arch === 'arm64' ? [] : ['LAMBDA_IGNORE_ARCHITECTURE=1']),
  ];
  return {
    file: 'docker',
    args: [
      ...['run', '--rm', '--interactive', '--name', name],
      ...['--publish', `127.0.0.1:${port}:${port}`],
      ...['--volume', '/var/run/docker.sock:/var/run/docker.sock'],
      ...variables.flatMap((variable) => ['--env', variable]),
      ...['--entrypoint', '/bin/sh', image, '-c', untilInputEnds],
    ],
    env: process.env,
    cleanUp: () => removeContainers(name),
  };
}

/** Removes LocalStack's container and those of its functions, which carry its name; none are left after an orderly end. */
async function removeContainers(name: string): Promise<void> {
  const { stdout } = await execute('docker', ['ps', '--all', '--quiet', '--filter', `name=^/?${name}(-lambda-.*)?$`]);
  const ids = stdout.split('\n').filter(Boolean);
  if (ids.length > 0) await execute('docker', ['rm', '--force', ...ids]);
}
