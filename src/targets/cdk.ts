import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Connection } from '../aws/connection.ts';
import { ownPackage } from '../bundle/own-package.ts';
import { UsageError } from '../task/errors.ts';

/** Options of {@link runCdk}. */
export interface CdkOptions {
  /** Where and as whom the CDK deploys; absent settings are found as the AWS CLI finds them. */
  readonly connection: Connection;
  readonly signal?: AbortSignal;
  /** Told each line that the CDK prints. */
  readonly onProgress?: (line: string) => void;
}

/** Lines of the CDK's output that an error quotes. */
const quotedLines = 20;

/** What a deployment needs and running on this machine does not, so that it is installed by who deploys. */
const deployPackages = ['aws-cdk', 'aws-cdk-lib', 'constructs'] as const;

/**
 * Finds the CDK's command line among the packages of the project that a folder belongs to, or else of this package.
 *
 * @throws UsageError `MissingPackages` that says what to install
 */
export function findCdk(project: string = process.cwd()): string {
  const missing = deployPackages.filter((name) => resolveFrom(project, `${name}/package.json`) === undefined);
  const cdk = resolveFrom(project, 'aws-cdk/bin/cdk');
  if (cdk !== undefined && missing.length === 0) return cdk;
  throw new UsageError(
    'MissingPackages',
    `expected the CDK among the packages of ${project}, got no ${missing.join(', ')}; "npm i -D ${missing.join(' ')}" installs it`,
  );
}

function resolveFrom(project: string, file: string): string | undefined {
  for (const place of [project, ownPackage]) {
    try {
      return createRequire(path.join(place, 'package.json')).resolve(file);
    } catch {
      // It is asked for in the next place.
    }
  }
  return undefined;
}

/**
 * Runs the project's CDK command line, to its end.
 *
 * @throws UsageError where the project has none. @throws Error with the end of the output when it fails.
 */
export async function runCdk(args: readonly string[], options: CdkOptions): Promise<void> {
  const child = spawn(process.execPath, [findCdk(), ...args, '--no-notices', '--no-color'], {
    env: cdkEnvironment(options.connection),
    stdio: ['ignore', 'pipe', 'pipe'],
    // It is Ctrl-C's handler here that decides what happens to a deployment that is under way.
    detached: true,
    ...(options.signal && { signal: options.signal }),
  });
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (line.trim() === '') return;
      options.onProgress?.(line);
      tail.push(line);
      if (tail.length > quotedLines) tail.shift();
    });
  }
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (exitCode !== 0)
    throw new Error(`expected "cdk ${args[0]}" to succeed, got exit code ${exitCode}:\n${tail.join('\n')}`);
}

/**
 * The variables by which the CDK's command line, and any AWS SDK, finds an endpoint instead of AWS.
 * S3 has a variable of its own because an IP address there makes the SDK put the bucket into the path, not into the host.
 */
export function cdkEnvironment(connection: Connection): NodeJS.ProcessEnv {
  const { endpoint, region, credentials } = connection;
  const env: NodeJS.ProcessEnv = { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true' };
  if (region !== undefined) Object.assign(env, { AWS_REGION: region, AWS_DEFAULT_REGION: region });
  if (endpoint !== undefined) {
    const byAddress = endpoint.replace('//localhost', '//127.0.0.1');
    Object.assign(env, { AWS_ENDPOINT_URL: byAddress, AWS_ENDPOINT_URL_S3: byAddress });
  }
  if (credentials !== undefined) {
    // A profile or a session of the person's own would win over the keys.
    for (const name of ['AWS_PROFILE', 'AWS_DEFAULT_PROFILE', 'AWS_SESSION_TOKEN']) delete env[name];
    Object.assign(env, {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    });
  }
  return env;
}
