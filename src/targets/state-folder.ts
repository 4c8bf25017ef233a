import path from 'node:path';
import { cacheFolder, projectKey, projectRoot } from '../bundle/project.ts';

/** The embedded target's folder unless `--state` names one: in the user's cache folder, one for each project. */
export function defaultStateFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  from: string = process.cwd(),
): string {
  return path.join(cacheFolder(env, platform), projectKey(projectRoot(from)));
}
