// Key sequences as inputrc and `bind` write them ("\C-x\C-r", "\M-f", Control-a) and as a terminal sends them.

const NAMES: Readonly<Record<string, string>> = {
  del: '\x7f',
  rubout: '\x7f',
  esc: '\x1b',
  escape: '\x1b',
  lfd: '\n',
  newline: '\n',
  ret: '\r',
  return: '\r',
  spc: ' ',
  space: ' ',
  tab: '\t',
};
const LETTERS: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  d: '\x04',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function control(c: string): string {
  if (c === '?') return '\x7f';
  return String.fromCharCode(c.toUpperCase().charCodeAt(0) & 0x1f);
}

/** What a terminal sends for the text between the quotes of a key binding. */
export function keysOf(text: string): string {
  let keys = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      keys += text[i];
      continue;
    }
    let meta = false;
    let controlled = false;
    while (text[i] === '\\' && /^[CM]-/.test(text.slice(i + 1))) {
      if (text[i + 1] === 'M') meta = true;
      else controlled = true;
      i += 3;
    }
    if (meta) keys += '\x1b';
    if (text[i] !== '\\' || i + 1 >= text.length) {
      const c = text[i] ?? '';
      keys += controlled && c !== '' ? control(c) : c;
      continue;
    }
    const number = /^\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2}))/.exec(text.slice(i));
    let c: string;
    if (number !== null) {
      c = String.fromCharCode(
        number[1] === undefined ? Number.parseInt(number[2]!, 16) : Number.parseInt(number[1], 8) & 255,
      );
      i += number[0].length - 1;
    } else {
      c = LETTERS[text[i + 1]!] ?? text[i + 1]!;
      i++;
    }
    keys += controlled ? control(c) : c;
  }
  return keys;
}

/** The one key of an old-style name such as `Meta-Rubout`, `C-u`, `Control-Meta-a`. */
export function keyOfName(name: string): string | undefined {
  const parts = name.split('-');
  const last = name.endsWith('-') ? '-' : parts.at(-1)!;
  const key = NAMES[last.toLowerCase()] ?? (last.length === 1 ? last : undefined);
  if (key === undefined) return undefined;
  const modifiers = parts.slice(0, -1).map((part) => part.toLowerCase());
  const meta = modifiers.some((part) => part === 'm' || part === 'meta') ? '\x1b' : '';
  return meta + (modifiers.some((part) => part.startsWith('c')) ? control(key) : key);
}

/** The sequence as `bind -p` shows it, with \e for escape as in UTF-8 locales. */
export function sequenceText(keys: string): string {
  let text = '';
  for (const c of keys) {
    const code = c.charCodeAt(0);
    if (c === '\x1b') text += '\\e';
    else if (code === 0x7f) text += '\\C-?';
    else if (code < 0x20) text += `\\C-${String.fromCharCode(code + 0x40).toLowerCase()}`;
    else if (c === '"' || c === '\\') text += `\\${c}`;
    else text += c;
  }
  return text;
}
