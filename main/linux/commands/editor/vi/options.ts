// Vi's options: their names, short names and defaults, and what `:set` says of them.

const DEFAULTS = {
  autoindent: false,
  cursorline: false,
  errorbells: false,
  expandtab: false,
  hlsearch: false,
  ignorecase: false,
  incsearch: true,
  list: false,
  modifiable: true,
  number: false,
  paste: false,
  readonly: false,
  relativenumber: false,
  ruler: true,
  scrolloff: 5,
  shiftwidth: 8,
  showcmd: true,
  showmatch: false,
  showmode: true,
  smartcase: false,
  smartindent: false,
  softtabstop: 0,
  syntax: false,
  tabstop: 8,
  wrap: true,
  wrapscan: true,
};
const SHORT: Readonly<Record<string, keyof Options>> = {
  ai: 'autoindent',
  cul: 'cursorline',
  eb: 'errorbells',
  et: 'expandtab',
  hls: 'hlsearch',
  ic: 'ignorecase',
  is: 'incsearch',
  ma: 'modifiable',
  nu: 'number',
  rnu: 'relativenumber',
  ro: 'readonly',
  ru: 'ruler',
  sc: 'showcmd',
  scs: 'smartcase',
  si: 'smartindent',
  sm: 'showmatch',
  smd: 'showmode',
  so: 'scrolloff',
  sts: 'softtabstop',
  sw: 'shiftwidth',
  ts: 'tabstop',
  ws: 'wrapscan',
};

export type Options = typeof DEFAULTS;

export function makeOptions(): Options {
  return { ...DEFAULTS };
}

/** An option that can't be set so. */
export class OptionError extends Error {}

/** One word of `:set`; what it has to show, if anything. Throws OptionError. */
export function setOption(options: Options, word: string): string | undefined {
  const match = /^(no|inv)?([a-z]+)([!?&]|[-+^]?=.*|:.*)?$/.exec(word);
  if (match === null) throw new OptionError(`E518: Unknown option: ${word}`);
  const [, prefix = '', base = '', action = ''] = match;
  // Names may begin with no: `number`.
  const whole = keyOf(prefix + base);
  const key = whole ?? keyOf(base);
  const isNegated = whole === undefined && prefix !== '';
  if (key === undefined) throw new OptionError(`E518: Unknown option: ${word.replace(/[!?&=:].*$/, '')}`);
  const value = options[key];
  if (typeof value === 'boolean') {
    if (action.startsWith('=') || action.startsWith(':'))
      throw new OptionError(`E474: Invalid argument: ${word}`);
    if (action === '?') return value ? `  ${key}` : `no${key}`;
    assign(
      options,
      key,
      action === '!' || prefix === 'inv' ? !value : action === '&' ? DEFAULTS[key] : !isNegated,
    );
    return undefined;
  }
  if (isNegated) throw new OptionError(`E474: Invalid argument: ${word}`);
  if (action === '' || action === '?') return `  ${key}=${value}`;
  const given = /^([-+^]?)[=:](.*)$/.exec(action);
  if (given === null) {
    assign(options, key, DEFAULTS[key]);
    return undefined;
  }
  const number = Number(given[2]);
  if (given[2] === '' || !Number.isInteger(number))
    throw new OptionError(`E521: Number required after =: ${word}`);
  assign(
    options,
    key,
    given[1] === '+'
      ? value + number
      : given[1] === '-'
        ? value - number
        : given[1] === '^'
          ? value * number
          : number,
  );
  return undefined;
}

/** The options that differ from their defaults, as `:set` lists them. */
export function changedOptions(options: Options): string[] {
  return (Object.keys(DEFAULTS) as (keyof Options)[])
    .filter((key) => options[key] !== DEFAULTS[key])
    .map((key) =>
      typeof options[key] === 'boolean' ? `${options[key] ? '  ' : 'no'}${key}` : `  ${key}=${options[key]}`,
    );
}

function keyOf(name: string): keyof Options | undefined {
  return Object.hasOwn(DEFAULTS, name) ? (name as keyof Options) : SHORT[name];
}

function assign<K extends keyof Options>(options: Options, key: K, value: Options[keyof Options]): void {
  options[key] = value as Options[K];
}
