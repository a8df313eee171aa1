// base64(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { readAll } from '../frame/input.ts';
import { quote } from '../frame/quote.ts';

/** base64(1) */
export const base64: Program = command(
  {
    short: 'diw:D',
    long: ['decode>d', 'ignore-garbage>i', 'wrap:>w'],
    usage: '[OPTION]... [FILE]',
    summary: 'Base64 encode or decode FILE, or standard input, to standard output.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const [path = '-', extra] = it.operands;
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`);
    const wrap = it.options.value('w') ?? '76';
    if (!/^\d+$/.test(wrap)) throw new Failure(`invalid wrap size: ${quote(wrap)}`);
    let bytes: Uint8Array;
    try {
      bytes = await readAll(it.open(path));
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
      throw new Failure(`${path}: ${error.message}`);
    }
    if (!it.options.has('d')) {
      const text = Buffer.from(bytes).toString('base64');
      const columns = Number(wrap);
      if (columns === 0) await it.out.put(text);
      else for (let i = 0; i < text.length; i += columns) await it.out.line(text.slice(i, i + columns));
      return;
    }
    let text = Buffer.from(bytes).toString('latin1').replaceAll('\n', '');
    if (it.options.has('i')) text = text.replaceAll(/[^A-Za-z0-9+/=]/g, '');
    const good = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?/.exec(text)![0];
    const tail = /^[A-Za-z0-9+/]{0,3}/.exec(text.slice(good.length))![0];
    await it.out.put(Buffer.from(good + (good.length + tail.length === text.length ? tail : ''), 'base64'));
    if (good.length < text.length) throw new Failure('invalid input');
  },
);
