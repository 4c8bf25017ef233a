/** The values of all context variables for one task or callback; what it starts begins with a copy. */
export class Context {
  /** Shared with copies until one of them changes a value: most tasks never do. */
  #values: ReadonlyMap<object, unknown>;

  constructor(values: ReadonlyMap<object, unknown> = new Map()) {
    this.#values = values;
  }

  /** @internal */
  has(variable: object): boolean {
    return this.#values.has(variable);
  }

  /** @internal */
  get(variable: object): unknown {
    return this.#values.get(variable);
  }

  copy(): Context {
    return new Context(this.#values);
  }

  /** Writes or, without a value, removes. @internal */
  change(variable: object, value?: { readonly value: unknown }): void {
    const values = new Map(this.#values);
    if (value === undefined) values.delete(variable);
    else values.set(variable, value.value);
    this.#values = values;
  }
}
