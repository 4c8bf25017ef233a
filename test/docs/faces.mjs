import { registerHooks } from 'node:module';

/** The package's faces as a program of this clone finds them: their sources. */
const faces = {
  fanloop: '../../src/index.ts',
  'fanloop/http': '../../src/connectors/http/index.ts',
};

registerHooks({
  resolve: (specifier, context, next) =>
    specifier in faces
      ? { url: new URL(faces[specifier], import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
});
