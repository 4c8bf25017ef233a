import { builtinModules } from 'node:module';
import type { Plugin } from 'esbuild';

/** Heavy ones that a start does not need: loaded when one of their exports is first used. */
const lazy = new Set([
  'child_process',
  'dns',
  'dns/promises',
  'fs/promises',
  'http2',
  'https',
  'readline',
  'tls',
  'worker_threads',
  'zlib',
]);

const known = new Set(builtinModules);
const namespace = 'plain-builtins';

/** Whether an input of a metafile was made by {@link plainBuiltinsPlugin}. */
export const isPlainBuiltin = (input: string): boolean => input.startsWith(`${namespace}:`);

/**
 * An ES module's view of a built-in module reads every export of it, also getters that load others: that of `node:http` loads Node's
 * own undici, that of `node:util` a parser of arguments. So what a bundle imports is taken from the modules themselves, as CommonJS does.
 */
export const plainBuiltinsPlugin: Plugin = {
  name: namespace,
  setup(builder) {
    builder.onResolve({ filter: /^(node:)?[a-z][a-z0-9_/]*$/ }, ({ path, kind, importer }) => {
      const name = path.replace(/^node:/, '');
      const isImport = kind === 'import-statement' || kind === 'dynamic-import';
      if (!isImport || !known.has(name)) return undefined;
      // What is imported by `import()` gives all its exports, whoever needs them.
      if (kind === 'dynamic-import') return { path: name, namespace, suffix: '?whole' };
      // The SDK asks whether a body is a `ReadStream`, and takes `promises`: either getter loads all of `node:fs/promises`.
      const isLazy = lazy.has(name) || (name === 'fs' && /[\\/]@(smithy|aws-sdk)[\\/]/.test(importer));
      return { path: name, namespace, sideEffects: false, ...(isLazy && { suffix: '?lazy' }) };
    });
    builder.onLoad({ filter: /.*/, namespace }, ({ path: name, suffix }) => ({
      contents: suffix === '?whole' ? wholeModule(name) : suffix === '?lazy' ? lazyModule(name) : constantsOf(name),
      loader: 'js',
    }));
    // The SDK's handler makes an agent for TLS also where it never needs one: 20 ms of a start on this machine.
    builder.onLoad({ filter: /@smithy[\\/]node-http-handler[\\/]dist-es[\\/]node-https\.js$/ }, () => ({
      contents: lazyAgent,
      loader: 'js',
    }));
  },
};

const namesOf = (name: string): readonly string[] =>
  Object.keys(process.getBuiltinModule(`node:${name}`) ?? {}).filter((key) => /^[A-Za-z_$][\w$]*$/.test(key));

/** Only the constants that are used stay in a bundle. */
function constantsOf(name: string): string {
  const names = namesOf(name);
  return [
    `const all = /* @__PURE__ */ process.getBuiltinModule('node:${name}');`,
    'const get = (key) => all[key];',
    ...names.map((key, n) => `const _${n} = /* @__PURE__ */ get('${key}');`),
    `export { all as default, ${names.map((key, n) => `_${n} as ${key}`).join(', ')} };`,
  ].join('\n');
}

const wholeModule = (name: string): string => `module.exports = process.getBuiltinModule('node:${name}');`;

/** esbuild gives what it makes of a CommonJS module the same prototype, so each name is asked for when it is used. */
const lazyModule = (name: string): string => `
  let all;
  const load = () => (all ??= process.getBuiltinModule('node:${name}'));
  const get = (_, key) => (key === '__esModule' ? undefined : load()[key]);
  module.exports = Object.create(new Proxy({}, { get, has: (_, key) => key in load() }));`;

/** Stands for `node:https` in the handler: an agent is made by the first request that it is for. */
const lazyAgent = `
  const load = () => process.getBuiltinModule('node:https');
  class Agent {
    #options;
    #made;
    constructor(options) { this.#options = options; }
    get made() { return (this.#made ??= new (load().Agent)(this.#options)); }
    get keepAlive() { return this.made.keepAlive; }
    get keepAliveMsecs() { return this.made.keepAliveMsecs; }
    get maxSockets() { return this.made.maxSockets; }
    get sockets() { return this.made.sockets; }
    get requests() { return this.made.requests; }
    destroy() { this.#made?.destroy(); }
  }
  const request = (options, answered) => {
    const { agent } = options;
    return load().request(agent instanceof Agent ? { ...options, agent: agent.made } : options, answered);
  };
  export const node_https = { Agent, request };`;
