/**
 * Whether identity-based statements, as they stand in a template, allow an action on a resource: one has to allow it, none may deny it.
 * Conditions are not evaluated: an Allow with one allows nothing, a Deny with one denies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 *
 * @throws Error when a statement is none, or names actions or resources by anything but texts.
 */
export function allows(statements: readonly unknown[], action: string, resource: string): boolean {
  const matching = statements.map(parsedOnce).filter((statement) => covers(statement, action, resource));
  const isDenied = matching.some(({ effect }) => effect === 'Deny');
  return !isDenied && matching.some(({ effect, hasCondition }) => effect === 'Allow' && !hasCondition);
}

interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: Patterns;
  readonly resources: Patterns;
  readonly hasCondition: boolean;
}

/** What a statement covers: what a pattern matches, or, as in NotAction, what none matches. */
interface Patterns {
  readonly patterns: readonly string[];
  readonly inverted: boolean;
}

/** Every request of a function is asked of the same statements. */
const parsed = new WeakMap<object, Statement>();

function parsedOnce(statement: unknown): Statement {
  if (typeof statement !== 'object' || statement === null)
    throw new Error(`expected a policy statement, got ${JSON.stringify(statement)}`);
  const known = parsed.get(statement) ?? parseStatement(statement);
  parsed.set(statement, known);
  return known;
}

function parseStatement(statement: object): Statement {
  // Any object can be read by names whose values are checked below.
  const fields = statement as Readonly<Record<string, unknown>>;
  const effect = fields['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny')
    throw new Error(`expected Effect to be Allow or Deny, got ${JSON.stringify(effect)}`);
  const { patterns, inverted } = patternsOf(fields, 'Action');
  return {
    effect,
    actions: { patterns: patterns.map((pattern) => pattern.toLowerCase()), inverted },
    resources: patternsOf(fields, 'Resource'),
    hasCondition: fields['Condition'] !== undefined,
  };
}

function patternsOf(fields: Readonly<Record<string, unknown>>, name: 'Action' | 'Resource'): Patterns {
  const inverted = fields[name] === undefined;
  const value = inverted ? fields[`Not${name}`] : fields[name];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const patterns = list.map((pattern) => {
    if (typeof pattern !== 'string')
      throw new Error(`expected ${name} of a policy statement to be texts, got ${JSON.stringify(value)}`);
    return pattern;
  });
  return { patterns, inverted };
}

/** Names of actions are compared without case. */
function covers({ actions, resources }: Statement, action: string, resource: string): boolean {
  return includes(actions, action.toLowerCase()) && includes(resources, resource);
}

function includes({ patterns, inverted }: Patterns, text: string): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, text)) !== inverted;
}

/**
 * Whether a text matches a pattern of `*` (any run of characters) and `?` (one character); both reach over colons and slashes.
 * It goes back to the last `*` only, so no pattern takes longer than pattern × text.
 */
function matchesPattern(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resumeAt = 0;
  while (t < text.length) {
    const wanted = pattern[p];
    if (wanted === '*') {
      star = p;
      resumeAt = t;
      p += 1;
    } else if (wanted === '?' || wanted === text[t]) {
      p += 1;
      t += 1;
    } else if (star !== -1) {
      resumeAt += 1;
      t = resumeAt;
      p = star + 1;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(p));
}
