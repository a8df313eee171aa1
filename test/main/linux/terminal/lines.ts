// Random keys at a prompt, typed into the host's bash and the virtual one: after each, both screens must agree.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LayerFile } from '../../../../main/linux/kernel/index.ts';
import { makeRandom, type Random } from '../../../../main/simulation/index.ts';
import { Judge } from './judge.ts';
import { sitDown, type Person } from '../shell/terminal.ts';

/** What both shells find in their directory. */
const FILES = [
  'notes one.txt',
  'notes-two.txt',
  'alpha.log',
  'alpine',
  'Über',
  '中文.txt',
  '中国',
  '.hidden',
  "it's",
];
const DIRECTORIES = ['docs', 'docs/inner', 'drafts dir'];
const HISTORY = [
  'echo alpha beta gamma',
  'echo "two words" last',
  "printf '%s\\n' one two",
  'echo alpha beta gamma',
  'cd /tmp && ls -l | wc -l',
  'for i in 1 2 3; do echo $i; done',
  'echo 中文 字符',
  'foo --bar=baz /usr/lib/x.tar.gz',
];

export interface Setting {
  readonly columns: number;
  readonly rows: number;
  readonly rc: string;
  readonly inputrc: string;
}

/** Both shells at their prompts. */
export class Pair implements AsyncDisposable {
  readonly judge: Judge;
  readonly person: Person;
  private readonly directory: string;

  private constructor(judge: Judge, person: Person, directory: string) {
    this.judge = judge;
    this.person = person;
    this.directory = directory;
  }

  static async open(setting: Setting): Promise<Pair> {
    const directory = mkdtempSync(join(tmpdir(), 'drydock-line-'));
    const rc = `PS1='$ '\nHISTFILE=~/.bash_history\nstty -ixon\nPATH=/nowhere\n${setting.rc}\n`;
    const files: Record<string, LayerFile | string> = {
      '/root/.bashrc': rc.replace('stty -ixon\n', ''),
      '/root/.bash_history': HISTORY.join('\n') + '\n',
      '/root/.inputrc': setting.inputrc,
    };
    for (const name of DIRECTORIES) {
      mkdirSync(join(directory, name));
      files[`/root/${name}`] = { type: 'directory' };
    }
    for (const name of FILES) {
      writeFileSync(join(directory, name), 'x\n');
      files[`/root/${name}`] = 'x\n';
    }
    for (const name of ['.bashrc', '.bash_history', '.inputrc'])
      writeFileSync(join(directory, name), name === '.bashrc' ? rc : (files[`/root/${name}`] as string));
    const { columns, rows } = setting;
    const judge = new Judge({
      argv: ['/usr/bin/bash', '--noprofile', '--rcfile', join(directory, '.bashrc'), '-i'],
      cwd: directory,
      columns,
      rows,
      env: {
        TERM: 'xterm-256color',
        HOME: directory,
        LC_ALL: 'C.UTF-8',
        PATH: '/usr/bin:/bin',
        INPUTRC: join(directory, '.inputrc'),
      },
    });
    const giveUpMs = Date.now() + 5000;
    while (!judge.raw.includes('$ ') && Date.now() < giveUpMs) await judge.settle();
    const person = await sitDown({ columns, rows, files });
    return new Pair(judge, person, directory);
  }

  /** Types into both, or resizes both (`resize COLUMNS ROWS`); what differs then, or undefined. */
  async step(keys: string): Promise<string | undefined> {
    const [, columns, rows] = /^resize (\d+) (\d+)$/.exec(keys) ?? [];
    if (columns === undefined) {
      await this.judge.type(keys);
      await this.person.type(keys);
    } else {
      await this.judge.resize(Number(columns), Number(rows));
      await this.person.resize(Number(columns), Number(rows));
    }
    return this.difference();
  }

  difference(): string | undefined {
    // Readline itself counts bytes for columns there.
    const misplaces = this.person.screen().some((line) => /i-search\)`.*[^\x00-\x7f]/.test(line));
    if (misplaces) return undefined;
    const theirs = { screen: this.judge.screen(), cursor: this.judge.cursor() };
    const ours = { screen: this.person.screen(), cursor: this.person.cursor() };
    if (JSON.stringify(theirs) === JSON.stringify(ours)) return undefined;
    const show = ({ screen, cursor }: typeof theirs): string =>
      `${screen.map((line) => `|${line}`).join('\n')}\n  at ${cursor.row},${cursor.column}`;
    return `bash:\n${show(theirs)}\nours:\n${show(ours)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.judge[Symbol.dispose]();
    if (this.person.status() === undefined) this.person.kill();
    await this.person.wait(1);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Keys of Emacs mode, the frequent ones more than once. */
const TEXTS = [
  'a',
  'b ',
  'echo ',
  'foo-bar ',
  '"x y" ',
  "'q",
  '$HO',
  '中',
  '文字',
  'é',
  '/',
  '-',
  'alp',
  'no',
  'do',
  '1',
  '; ',
  '=',
  'x'.repeat(17),
];
const EMACS_KEYS = [
  '\x01',
  '\x05',
  '\x02',
  '\x02',
  '\x06',
  '\x1bb',
  '\x1bb',
  '\x1bf',
  '\x1bd',
  '\x1b\x7f',
  '\x7f',
  '\x7f',
  '\x04',
  '\x0b',
  '\x15',
  '\x17',
  '\x17',
  '\x19',
  '\x19',
  '\x1by',
  '\x1f',
  '\x1f',
  '\x18\x15',
  '\x14',
  '\x1bt',
  '\x1bu',
  '\x1bl',
  '\x1bc',
  '\x10',
  '\x10',
  '\x0e',
  '\x1b[A',
  '\x1b[B',
  '\x1b[C',
  '\x1b[D',
  '\x1b[H',
  '\x1b[F',
  '\x1b[3~',
  '\x1b[1;5C',
  '\x1b[1;5D',
  '\x1b.',
  '\x1b.',
  '\x1b_',
  '\x1b\x19',
  '\x1b<',
  '\x1b>',
  '\x1br',
  '\x1b\\',
  '\x0c',
  '\x00',
  '\x1b#',
  '\x1b3',
  '\x1b2',
  '\x16\x09',
  '\x1b\x02',
  '\x1b\x06',
  '\x1b\x04',
  '\x0f',
  '\x1b[5~',
  '\x1b[6~',
  '\x07',
  '\x1b\x14',
  '\x1bL',
  '\x18\x7f',
];
const SEARCH_KEYS = [
  '\x12',
  '\x12',
  '\x13',
  'e',
  'a',
  'l',
  'p',
  'h',
  'o',
  ' ',
  '\x7f',
  '\x17',
  '\x07',
  '\x1b',
  '\x0a',
  '\x05',
  '\x19',
];
const VI_KEYS = [
  'h',
  'l',
  'w',
  'b',
  'e',
  'W',
  'B',
  'E',
  '0',
  '^',
  'x',
  'X',
  'D',
  'dw',
  'db',
  'de',
  'd$',
  'd0',
  'dd',
  'cw',
  'cc',
  'C',
  'yw',
  'yy',
  'p',
  'P',
  'u',
  'k',
  'j',
  'i',
  'a',
  'A',
  'I',
  's',
  'S',
  'ra',
  'r中',
  '~',
  '.',
  'fa',
  'tb',
  ';',
  ',',
  'Fe',
  '3l',
  '2x',
  '2w',
];

/** Searches come only where all is ASCII: readline misplaces their cursor behind anything wider. */
export function emacsKeys(random: Random, count: number, wide: boolean): string[] {
  const keys: string[] = [];
  const texts = wide ? TEXTS : TEXTS.filter((text) => /^[\x20-\x7e]+$/.test(text));
  while (keys.length < count) {
    const dice = random.integer(100);
    if (dice < 42) keys.push(...typed(random.pick(texts)));
    else if (dice < 92 || (wide && dice >= 97)) keys.push(random.pick(EMACS_KEYS));
    else if (dice < 95) keys.push('\r');
    else if (dice < 97) keys.push('\x03');
    else {
      keys.push(random.pick(['\x12', '\x13']));
      for (let i = random.integer(6); i >= 0; i--) keys.push(random.pick(SEARCH_KEYS));
      keys.push('\x07');
    }
  }
  return keys;
}

/** Long lines, pastes of several lines, and windows that change. */
export function pasteKeys(random: Random, count: number, resizes: boolean): string[] {
  const keys: string[] = [];
  while (keys.length < count) {
    const dice = random.integer(100);
    if (dice < 40) keys.push(...typed(random.pick(TEXTS)));
    else if (dice < 60)
      keys.push(
        random.pick(['\x01', '\x05', '\x02', '\x06', '\x1bb', '\x1bf', '\x7f', '\x17', '\x1f', '\x0c']),
      );
    else if (dice < 80)
      keys.push(
        `\x1b[200~${random.pick(['echo a\nb c', 'x\n', 'one\ntwo three\nfour', '\ttab', 'z'.repeat(50)])}\x1b[201~`,
      );
    else if (dice < 88) keys.push(random.pick(['\x10', '\x0e', '\x15', '\x0b', '\x19']));
    else if (dice < 96)
      keys.push(resizes ? `resize ${random.pick([25, 40, 57, 80])} ${random.pick([12, 24])}` : '\x1bt');
    else keys.push(random.pick(['\x03', '\x0b\x15']));
  }
  return keys;
}

export function viKeys(random: Random, count: number): string[] {
  const texts = ['echo ', 'foo bar ', 'alpha', 'x y z', ' (a b) ', 'one two three '];
  const keys: string[] = [...typed('first'), '\x1b', 'y', 'y', 'A'];
  while (keys.length < count) {
    keys.push(...typed(random.pick(texts)), ...typed(random.pick(texts)), '\x1b');
    for (let i = random.integer(7); i >= 0; i--) keys.push(...typed(random.pick(VI_KEYS)));
    keys.push('\x1b', random.pick(['i', 'A', 'a', 'I', '\r']));
  }
  return keys;
}

const WORDS = [
  'no',
  'notes',
  'al',
  'alp',
  'do',
  'docs/',
  'dr',
  'drafts\\ ',
  '"no',
  "'al",
  'Ü',
  '中',
  '.h',
  '.',
  'it',
  '~/',
  '~/d',
  '$HOM',
  'echo ',
  'ec',
  'fo',
  'prog ',
  'prog a',
  '; ',
  '&& ',
  'x=~/',
  '--out=',
  'a:',
  '>',
  '< n',
  '$(ec',
  'words ',
  'on',
  'th',
  'files ',
  '-',
  '*',
  'n*',
  './',
  '/nonexist',
  'nosp ',
  'pre ',
];

/** Words cut short, and Tab. */
export function completionKeys(random: Random, count: number): string[] {
  const keys: string[] = [];
  while (keys.length < count) {
    for (let i = random.integer(3); i >= 0; i--) keys.push(...typed(random.pick(WORDS)));
    for (let i = random.integer(4); i >= 0; i--) keys.push(random.pick(['\t', '\t', '\t', '\t', '\x1b?']));
    if (random.integer(3) > 0) keys.push('\x05', '\x15');
  }
  return keys;
}

function typed(text: string): string[] {
  return text.startsWith('e\u0301') ? [text] : Array.from(text);
}

/** Runs one sequence; the keys so far and the difference, or undefined. */
export async function playLines(
  seed: string,
  setting: Setting,
  choose: (random: Random) => readonly string[],
): Promise<string | undefined> {
  await using pair = await Pair.open(setting);
  const keys = choose(makeRandom(seed));
  const before = pair.difference();
  if (before !== undefined) return `${seed}: at the prompt\n${before}`;
  for (const [index, key] of keys.entries()) {
    if (pair.judge.hasEnded) return undefined;
    const difference = await pair.step(key);
    if (difference !== undefined)
      return `${seed}: after ${JSON.stringify(keys.slice(Math.max(0, index - 14), index + 1))}\n${difference}`;
  }
  return undefined;
}
