import type { OpenOptions, Target } from './target.ts';
import { checkTarget, type TargetOptions } from './target-options.ts';

/**
 * Opens the target that the options name; only that target's packages are loaded.
 *
 * @throws UsageError `MissingStack`, `MissingCredentials`, `Unreachable`, `StateFolderBusy`, or `InvalidOptions`
 */
export async function openTarget(options: TargetOptions, open: OpenOptions): Promise<Target> {
  checkTarget(options);
  if (options.target === 'embedded') {
    const { openEmbedded } = await import('./embedded.ts');
    return openEmbedded(options, open);
  }
  const { openDeployed } = await import('./deployed.ts');
  return openDeployed(options);
}
