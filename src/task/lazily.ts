/** What is made when it is first asked for, and then kept: a process that never asks does not pay for it at its start. */
export function lazily<Made>(make: () => Made): () => Made {
  let made: { readonly value: Made } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
