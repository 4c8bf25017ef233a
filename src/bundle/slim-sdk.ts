import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** How the SDK writes a schema: a list, from the beginning of a line to its end. */
const schema = /^((?:export )?var [\w$]+ = )(\[.*?\]);$/gms;

/**
 * Lets a bundle leave out what nobody uses of the AWS SDK's clients. A client has the schemas of all its operations in one file, and
 * esbuild keeps them all, since a list with computed keys (`{ [_hH]: 1 }`) might do something when it is made. And of a client's
 * package.json it keeps all where its version is read.
 */
export const slimSdkPlugin: Plugin = {
  name: 'slim-sdk',
  setup(builder) {
    builder.onLoad({ filter: /@aws-sdk[\\/].*[\\/]schemas[\\/]schemas_0\.js$/ }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8');
      const contents = source.replaceAll(schema, '$1/* @__PURE__ */ (() => $2)();');
      if (contents === source) throw new Error(`expected lists in ${file}, got another version of the AWS SDK`);
      return { contents, loader: 'js' };
    });
    builder.onLoad({ filter: /@aws-sdk[\\/].*[\\/]package\.json$/ }, async ({ path: file }) => {
      const { version } = JSON.parse(await readFile(file, 'utf8')) as { readonly version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};
