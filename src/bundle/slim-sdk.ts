import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** How the SDK writes a schema: a list, from the beginning of a line to its end. */
const schema = /^((?:export )?var [\w$]+ = )(\[.*?\]);$/gms;

/** What the SDK asks of Node when it is loaded, though it needs it later or never: web streams take 3 ms of a start, zlib 1.6, Web Crypto 0.3. */
const early: readonly { readonly file: RegExp; readonly from: string; readonly to: string }[] = [
  {
    file: /@smithy[\\/]core[\\/].*[\\/]ChecksumStream\.browser\.js$/,
    from: `const ReadableStreamRef = typeof ReadableStream === "function" ? ReadableStream : function () { };
export class ChecksumStream extends ReadableStreamRef {
}`,
    // Only its prototype is used, for a body that is a web stream.
    to: `let made;
export const ChecksumStream = { get prototype() { return (made ??= class ChecksumStream extends ReadableStream {}).prototype; } };`,
  },
  {
    file: /@smithy[\\/]core[\\/].*[\\/]Crc32Node\.js$/,
    from: 'typeof zlib.crc32 === "function" ? zlib.crc32 : undefined',
    to: '(data, value) => zlib.crc32(data, value)',
  },
  {
    file: /@smithy[\\/]core[\\/].*[\\/]uuid[\\/]v4\.js$/,
    from: 'if (typeof crypto !== "undefined" && typeof crypto.randomUUID === "function") {',
    to: 'if (true) {',
  },
];

/**
 * Lets a bundle leave out what nobody uses of the AWS SDK's clients. A client has the schemas of all its operations in one file, and
 * esbuild keeps them all, since a list with computed keys (`{ [_hH]: 1 }`) might do something when it is made. Of a client's
 * package.json it keeps all where its version is read. And what is asked for early is asked for when it is used.
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
    for (const { file: filter, from, to } of early) {
      builder.onLoad({ filter }, async ({ path: file }) => {
        const source = await readFile(file, 'utf8');
        const contents = source.replace(from, to);
        if (contents === source) throw new Error(`expected "${from}" in ${file}, got another version of the AWS SDK`);
        return { contents, loader: 'js' };
      });
    }
    builder.onLoad({ filter: /@aws-sdk[\\/].*[\\/]package\.json$/ }, async ({ path: file }) => {
      const { version } = JSON.parse(await readFile(file, 'utf8')) as { readonly version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};
