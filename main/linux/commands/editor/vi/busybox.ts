// How busybox's vi differs from vim to the eye: its status line, and its words for what the commands say.
import type { Mode, Session } from './state.ts';

const MODE_LETTERS: Readonly<Partial<Record<Mode, string>>> = { insert: 'I', replace: 'R' };

/** What its :set knows. */
export const BUSYBOX_OPTIONS =
  /^(?:no)?(?:ai|autoindent|et|expandtab|fl|flash|ic|ignorecase|sm|showmatch|ts|tabstop)(?:=\d+)?$/;

/** vim's messages, and what busybox says instead; the first that fits counts. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^E492: Not an editor command: (\S+).*$/, "'$1' is not implemented"],
  [/^E37: .*$/, 'No write since last change (:q! overrides)'],
  [/^E486: .*$/, 'Pattern not found'],
  [/^E518: Unknown option: (.*)$/, 'bad option: $1'],
  [/^E20: .*$/, 'Mark not set'],
  [/^E32: .*$/, 'No current filename'],
  [/^E353: .*$/, 'Nothing in register D'],
  [/^"(.*)" (?:\[New\] )?(\d+)L, (\d+)B written$/, "'$1' $2L, $3C"],
  [/^"(.*)" (?:\d+L, \d+B|\[.*\].*)$/, ''],
  [/^[/?:].*$/, ''],
  [/^.*; (?:before|after) #\d+ .*$/, ''],
  [/^\d+ (?:more|fewer) lines?$|^\d+ lines? (?:less|yanked)$/, ''],
];

/** The line at the bottom: a message, or where the cursor is. */
export function busyboxStatus({ message, mode, path, text, cursor, options }: Session): string {
  const found = WORDS.find(([pattern]) => pattern.test(message));
  const words = found === undefined ? message : message.replace(found[0], found[1]);
  if (words !== '') return words;
  const flags = `${options.readonly ? ' [Readonly]' : ''}${text.isModified ? ' [Modified]' : ''}`;
  const count = text.lines.length;
  const line = cursor.line + 1;
  return `${MODE_LETTERS[mode] ?? '-'} ${path ?? 'No file'}${flags} ${line}/${count} ${Math.floor((line * 100) / count)}%`;
}
