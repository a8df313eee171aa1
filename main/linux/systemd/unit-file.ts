// Unit files: their lines, lists and specifiers, a fragment with its drop-ins taken together. systemd.syntax(7), systemd.unit(5).

export interface Setting {
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

export interface ParsedUnitFile {
  readonly settings: readonly Setting[];
  /** Lines that systemd would complain of, as `PATH:LINE: what`. */
  readonly complaints: readonly string[];
}

export function parseUnitFile(text: string, path: string): ParsedUnitFile {
  const settings: Setting[] = [];
  const complaints: string[] = [];
  let section = '';
  let pending = '';
  let first = 0;
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (/^[#;]/.test(trimmed)) continue; // Comments may stand inside a continued line.
    if (pending === '') first = index + 1;
    if (trimmed.endsWith('\\')) {
      pending += `${trimmed.slice(0, -1)} `;
      continue;
    }
    const whole = (pending + trimmed).trim();
    pending = '';
    if (whole === '') continue;
    const header = /^\[(.*)\]$/.exec(whole);
    if (header !== null) {
      section = header[1]!;
      continue;
    }
    const equals = whole.indexOf('=');
    if (equals < 0) complaints.push(`${path}:${first}: Missing '=', ignoring line.`);
    else if (section === '') complaints.push(`${path}:${first}: Assignment outside of section. Ignoring.`);
    else
      settings.push({
        section,
        key: whole.slice(0, equals).trim(),
        value: whole.slice(equals + 1).trim(),
      });
  }
  return { settings, complaints };
}

/** The settings of one unit, in the order of fragment and drop-ins. */
export class UnitConfig {
  readonly settings: readonly Setting[];
  private readonly expand: (text: string) => string;

  constructor(settings: readonly Setting[], expand: (text: string) => string = (text) => text) {
    this.settings = settings;
    this.expand = expand;
  }

  /** All assignments since the last empty one, which resets a list. */
  values(section: string, key: string): string[] {
    let found: string[] = [];
    for (const setting of this.settings) {
      if (setting.section !== section || setting.key !== key) continue;
      found = setting.value === '' ? [] : [...found, this.expand(setting.value)];
    }
    return found;
  }

  /** The last assignment. */
  value(section: string, key: string): string | undefined {
    return this.values(section, key).at(-1);
  }

  words(section: string, key: string): string[] {
    return this.values(section, key).flatMap((value) => value.split(/\s+/).filter((word) => word !== ''));
  }

  /** `yes`, `true`, `on` and `1`. */
  flag(section: string, key: string, fallback = false): boolean {
    const value = this.value(section, key);
    return value === undefined ? fallback : /^(?:1|yes|y|true|t|on)$/i.test(value);
  }

  has(section: string): boolean {
    return this.settings.some((setting) => setting.section === section);
  }
}

const SUFFIX = /\.(?:service|socket|target|timer|mount|automount|device|slice|scope|path|swap)$/;

/** `kubelet` is short for `kubelet.service`. */
export function unitName(name: string): string {
  return SUFFIX.test(name) ? name : `${name}.service`;
}

export interface NameParts {
  /** What stands before `@`, or the whole without its suffix. */
  readonly prefix: string;
  /** undefined: not an instance. Empty: the template itself. */
  readonly instance: string | undefined;
  readonly suffix: string;
}

export function nameParts(name: string): NameParts {
  const suffix = SUFFIX.exec(name)?.[0].slice(1) ?? 'service';
  const stem = name.slice(0, name.length - suffix.length - 1);
  const at = stem.indexOf('@');
  return at < 0
    ? { prefix: stem, instance: undefined, suffix }
    : { prefix: stem.slice(0, at), instance: stem.slice(at + 1), suffix };
}

/** `getty@tty1.service` comes from `getty@.service`. */
export function templateOf(name: string): string | undefined {
  const { prefix, instance, suffix } = nameParts(name);
  return instance === undefined || instance === '' ? undefined : `${prefix}@.${suffix}`;
}

/** `\x2d` is an escaped byte, `-` a slash. systemd-escape(1). */
function unescaped(text: string): string {
  return text
    .replaceAll('-', '/')
    .replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** systemd.unit(5), SPECIFIERS. */
export function specifierExpander(
  name: string,
  machine: { readonly hostname: string; readonly machineId: () => string },
): (text: string) => string {
  const { prefix, instance = '', suffix } = nameParts(name);
  const values: Readonly<Record<string, () => string>> = {
    '%': () => '%',
    n: () => name,
    N: () => name.slice(0, -suffix.length - 1),
    p: () => prefix,
    P: () => unescaped(prefix),
    i: () => instance,
    I: () => unescaped(instance),
    f: () => `/${unescaped(instance === '' ? prefix : instance)}`,
    j: () => prefix.split('-').at(-1)!,
    H: () => machine.hostname,
    l: () => machine.hostname.split('.')[0]!,
    m: machine.machineId,
    u: () => 'root',
    U: () => '0',
    g: () => 'root',
    G: () => '0',
    h: () => '/root',
    s: () => '/bin/sh',
    t: () => '/run',
    S: () => '/var/lib',
    C: () => '/var/cache',
    L: () => '/var/log',
    E: () => '/etc',
    T: () => '/tmp',
    V: () => '/var/tmp',
  };
  return (text) =>
    text.includes('%') ? text.replaceAll(/%(.)/g, (all, letter: string) => values[letter]?.() ?? all) : text;
}
