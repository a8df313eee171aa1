// The line that vi reads after `:`, `/` and `?`, with its editing keys and history.
import { ESCAPE } from './keys.ts';
import { nextColumn, previousColumn } from './text.ts';

export interface PromptOptions {
  /** What is typed after: `:`, `/`, `?`. */
  readonly first: string;
  readonly initial: string;
  /** Older lines; the new one is added. */
  readonly history: string[];
  readonly key: () => Promise<string | undefined>;
  /** Shows the line, with the cursor's place in it. */
  readonly show: (prompted: { readonly text: string; readonly at: number }) => void;
}

/** The line typed; undefined when it was given up with Escape, Ctrl-C, or by erasing its first character. */
export async function readPrompt({
  first,
  initial,
  history,
  key,
  show,
}: PromptOptions): Promise<string | undefined> {
  let line = initial;
  let at = line.length;
  let index = history.length;
  const set = (text: string): void => {
    line = text;
    at = text.length;
  };
  for (;;) {
    show({ text: shown(first + line), at: shown(first + line.slice(0, at)).length });
    const pressed = await key();
    switch (pressed) {
      case undefined:
      case ESCAPE:
      case '\u0003':
        return undefined;
      case '\r':
        if (line !== '') {
          const old = history.indexOf(line);
          if (old >= 0) history.splice(old, 1);
          history.push(line);
        }
        return line;
      case '<BS>': {
        if (line === '') return undefined;
        if (at === 0) break;
        const from = previousColumn(line, at);
        line = line.slice(0, from) + line.slice(at);
        at = from;
        break;
      }
      case '<Del>':
        line = line.slice(0, at) + line.slice(nextColumn(line, at));
        break;
      case '\u0017': {
        const kept = line.slice(0, at).replace(/(?:\w+|[^\w\s]+)?\s*$/, '');
        line = kept + line.slice(at);
        at = kept.length;
        break;
      }
      case '\u0015':
        line = line.slice(at);
        at = 0;
        break;
      case '<Left>':
        at = at === 0 ? 0 : previousColumn(line, at);
        break;
      case '<Right>':
        at = Math.min(line.length, nextColumn(line, at));
        break;
      case '<Home>':
      case '\u0002':
        at = 0;
        break;
      case '<End>':
      case '\u0005':
        at = line.length;
        break;
      case '<Up>':
      case '\u0010':
        if (index > 0) set(history[--index]!);
        break;
      case '<Down>':
      case '\u000e':
        if (index < history.length) set(history[++index] ?? '');
        break;
      case '\u0016': {
        const literal = (await key()) ?? '';
        line = line.slice(0, at) + literal + line.slice(at);
        at += literal.length;
        break;
      }
      default:
        if (/^<[A-Z]\S+>$/.test(pressed) || (pressed < ' ' && pressed !== '\t')) break;
        line = line.slice(0, at) + pressed + line.slice(at);
        at += pressed.length;
    }
  }
}

function shown(text: string): string {
  return text.replaceAll(/[\u0000-\u001f]/g, (c) => `^${String.fromCharCode(c.charCodeAt(0) + 64)}`);
}
