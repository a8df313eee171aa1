// httpd.conf: lines into directives and sections, Includes followed. https://httpd.apache.org/docs/2.4/configuring.html

export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** Of a section, such as <Directory>. */
  readonly block?: readonly Directive[];
  readonly file: string;
  readonly line: number;
}

/** The message is Apache's, without the program's name. */
export class ConfigError extends Error {}

const INCLUDES_MAX = 20;

/** Reads a file with what it includes. `read` gives the files that a pattern names. Throws ConfigError. */
export function readDirectives(
  path: string,
  read: (pattern: string) => { readonly path: string; readonly text: string }[],
  depth = 0,
): Directive[] {
  const [file] = read(path);
  if (file === undefined)
    throw new ConfigError(`httpd: Could not open configuration file ${path}: No such file or directory`);
  return parse(file.path, file.text, read, depth);
}

function parse(
  path: string,
  text: string,
  read: (pattern: string) => { readonly path: string; readonly text: string }[],
  depth: number,
): Directive[] {
  if (depth > INCLUDES_MAX)
    throw new ConfigError(
      `AH00526: Syntax error on line 1 of ${path}:\nRecursion limit of ${INCLUDES_MAX} Includes reached`,
    );
  const top: Directive[] = [];
  const stack: { name: string; into: Directive[] }[] = [{ name: '', into: top }];
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    let words = lines[index]!.trim();
    while (words.endsWith('\\') && index + 1 < lines.length)
      words = `${words.slice(0, -1)} ${lines[++index]!.trim()}`;
    if (words === '' || words.startsWith('#')) continue;
    const into = stack.at(-1)!.into;
    const close = /^<\/([\w-]+)>$/.exec(words);
    if (close !== null) {
      const open = stack.pop()!;
      if (open.name.toLowerCase() !== close[1]!.toLowerCase())
        throw new ConfigError(
          `AH00526: Syntax error on line ${line} of ${path}:\n${open.name === '' ? `</${close[1]}> without matching <${close[1]}> section` : `Expected </${open.name}> but saw </${close[1]}>`}`,
        );
      continue;
    }
    const section = /^<([\w-]+)\s*(.*?)>$/.exec(words);
    if (section !== null) {
      const block: Directive[] = [];
      into.push({ name: section[1]!, args: split(section[2]!), block, file: path, line });
      stack.push({ name: section[1]!, into: block });
      continue;
    }
    const [name = '', ...args] = split(words);
    if (/^Include(Optional)?$/i.test(name)) {
      const pattern = args[0] ?? '';
      const found = read(pattern.startsWith('/') ? pattern : `/usr/local/apache2/${pattern}`);
      if (found.length === 0 && !/optional/i.test(name))
        throw new ConfigError(
          `AH00526: Syntax error on line ${line} of ${path}:\nCould not open configuration file ${pattern}: No such file or directory`,
        );
      for (const each of found) into.push(...parse(each.path, each.text, read, depth + 1));
      continue;
    }
    into.push({ name, args, file: path, line });
  }
  const open = stack.at(-1)!;
  if (open.name !== '')
    throw new ConfigError(
      `AH00526: Syntax error on line ${lines.length} of ${path}:\n<${open.name}> was not closed.`,
    );
  return top;
}

/** Words, some of them in quotes. */
function split(text: string): string[] {
  return Array.from(text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g), ([, double, single, plain]) =>
    double === undefined ? (single ?? plain ?? '') : double.replaceAll(/\\(["\\])/g, '$1'),
  );
}
