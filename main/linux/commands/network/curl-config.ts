// curl's config files: -K FILE and ~/.curlrc, as arguments (curl's src/tool_parsecfg.c).

/** The arguments that a config file stands for. */
export function configArguments(text: string): string[] {
  const args: string[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*(-{0,2}[^\s=:#]+)\s*[\s=:]?\s*(.*)$/.exec(line);
    if (match === null || /^\s*(?:#|$)/.test(line)) continue;
    const [, name = '', rest = ''] = match;
    args.push(name.startsWith('-') ? name : `--${name}`);
    const value = readValue(rest);
    if (value !== undefined) args.push(value);
  }
  return args;
}

function readValue(text: string): string | undefined {
  if (text.startsWith('"')) {
    let value = '';
    for (let at = 1; at < text.length && text[at] !== '"'; at++) {
      if (text[at] !== '\\') value += text[at];
      else value += { t: '\t', n: '\n', r: '\r', v: '\v' }[text[++at] as 't'] ?? text[at] ?? '';
    }
    return value;
  }
  const bare = text.replace(/\s.*$/, '');
  return bare === '' || bare.startsWith('#') ? undefined : bare;
}
