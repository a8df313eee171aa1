// echo(1)
import type { Program } from '../../kernel/index.ts';
import { Output } from '../frame/output.ts';
import { expandEscapes } from './printf.ts';

/** echo(1), /usr/bin's: -n, -e, -E. */
export const echo: Program = async (proc) => {
  const out = new Output(proc, proc.stdout);
  const args = proc.argv.slice(1);
  let newline = true;
  let escapes = false;
  while (/^-[neE]+$/.test(args[0] ?? '')) {
    const option = args.shift()!;
    if (option.includes('n')) newline = false;
    if (/[eE]/.test(option)) escapes = option.lastIndexOf('e') > option.lastIndexOf('E');
  }
  const text = args.join(' ');
  const expanded = escapes ? expandEscapes(text, true) : { text, stopped: false };
  await out.put(expanded.text + (newline && !expanded.stopped ? '\n' : ''));
  await out.flush();
  return 0;
};
