// yes(1)
import type { Program } from '../../kernel/index.ts';
import { command } from '../frame/command.ts';

/** yes(1): until nobody reads. */
export const yes: Program = command(
  {
    usage: '[STRING]...',
    summary: "Repeatedly output a line with all specified STRING(s), or 'y'.",
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const line = `${it.operands.length > 0 ? it.operands.join(' ') : 'y'}\n`;
    const block = line.repeat(Math.max(1, Math.floor(4096 / line.length)));
    for (;;) {
      await it.out.put(block);
      await it.out.flush();
    }
  },
);
