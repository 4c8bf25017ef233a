// Plain JavaScript, because it has to say something useful on a Node that is too old; `npm start` and `npm test` begin with it.
const oldest = [22, 19];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  console.error(
    `fanloop: expected Node ${oldest.join('.')} or newer, got ${process.versions.node}, and none among the packages, as "npm ci" brings it; after "npm ci --ignore-scripts", "npm rebuild node" does`,
  );
  process.exit(2);
}
