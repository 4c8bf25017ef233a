import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** One source file of the project. */
export interface SourceFile {
  /** Path from the project's root, with slashes. */
  readonly name: string;
  /** What it imports, exports from elsewhere, or loads: files as paths from the root, packages by their names. */
  readonly imports: readonly string[];
  /** Its text without comments and without the content of strings. */
  readonly code: string;
}

const root = path.dirname(path.dirname(import.meta.dirname));

/** Reads every source file under folders of the project. */
export function readSources(folders: readonly string[]): readonly SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|js|mjs)$/.test(entry.name))
      .map((entry) => {
        const file = path.join(entry.parentPath, entry.name);
        return sourceFile(path.relative(root, file), readFileSync(file, 'utf8'));
      }),
  );
}

/** Reads one file's imports and code from its text. */
export function sourceFile(name: string, text: string): SourceFile {
  const imports: string[] = [];
  // The formatter puts each statement at the start of a line and quotes module names, so that an expression finds them all.
  const statements =
    /^(?:import|export)\b(?:[^'";]*?\bfrom)?\s*'([^']+)'|\bimport\(\s*(?:\/\*.*?\*\/\s*)?['"`]([^'"`]+)['"`]/gm;
  for (const [, named, loaded] of withoutComments(text).matchAll(statements)) {
    const target = named ?? loaded ?? '';
    imports.push(target.startsWith('.') ? path.posix.join(path.posix.dirname(name), target) : target);
  }
  return { name, imports, code: withoutComments(text).replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''") };
}

/** A string wins over a comment that seems to begin in it, as in a URL. */
function withoutComments(text: string): string {
  const tokens =
    /('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replaceAll(tokens, (_, kept: string | undefined) => kept ?? '');
}
