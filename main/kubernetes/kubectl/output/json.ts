// JSON as kubectl prints it: keys sorted, four spaces, HTML characters escaped as Go's encoder does.

/** An object as `-o json` shows it, ending in a newline. */
export function toJson(value: unknown): string {
  return `${escapeHtml(JSON.stringify(sorted(value), undefined, 4))}\n`;
}

/** On one line, as jsonpath prints objects and last-applied-configuration is stored. */
export function toCompactJson(value: unknown): string {
  return escapeHtml(JSON.stringify(sorted(value)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(object)
      .filter((key) => object[key] !== undefined)
      .sort()
      .map((key) => [key, sorted(object[key])]),
  );
}

function escapeHtml(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
