import type { Target } from './target.ts';
import { defaultTarget, type TargetName } from './target-options.ts';

/** Where targets are told apart by name: each is loaded with its packages when it is used, and only then. */
const targets: Readonly<Record<TargetName, () => Promise<Target>>> = {
  embedded: async () => (await import('./embedded.ts')).embedded,
  localstack: async () => (await import('./localstack-target.ts')).localstack,
  aws: async () => (await import('./aws-target.ts')).aws,
};

/** Loads a target. */
export function loadTarget(name: TargetName = defaultTarget): Promise<Target> {
  return targets[name]();
}
